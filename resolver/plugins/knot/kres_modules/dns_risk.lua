-- Knot Resolver module: asks the sidecar in parallel with recursion, and annotates with an extended error.
-- A name that is known to be blocked does not exist, if that is switched on. See docs/resolvers.md:
--   package.path = '/usr/share/dns-risk/lua/?.lua;/usr/share/dns-risk/knot/?.lua;' .. package.path
--   modules.load('dns_risk < extended_error')
local kres = require('kres')
local risk = require('dns_risk')

local M = { layer = {} }
local on, block = false, false
local EDE_OTHER, EDE_BLOCKED = 0, 15

function M.config(options)
  options = options or {}
  block = options.block == true
  on = risk.open(options.address)
end

function M.init()
  M.config({ block = os.getenv('DNS_RISK_PLUGIN_BLOCK') == '1' })
end

local function name_of(req)
  return kres.dname2str(req:initial().sname)
end

-- Ask, or answer at once that a name does not exist: as policy.DENY does.
local function begin(state, req)
  local query = req:current()
  if query.parent ~= nil then return state end
  local name = kres.dname2str(query.sname)
  risk.read()
  local told = risk.known(name)
  -- A listed name passes with all that it is an alias of: those are asked for here, too.
  local listed = risk.listed(risk.known(name_of(req)))
  if listed or not (block and risk.blocks(told)) then
    risk.ask(name, kres.tostring.type[query.stype] or 'A')
    return state
  end
  local answer = req:ensure_answer()
  if answer == nil then return state end
  answer:rcode(kres.rcode.NXDOMAIN)
  req:set_extended_error(EDE_BLOCKED, risk.text(told))
  return kres.DONE
end

local function annotate(req)
  risk.read()
  local told = risk.known(name_of(req))
  local text = risk.text(told)
  if text == nil or req.answer.opt_rr == nil then return end
  local blocked = block and risk.blocks(told) and req.answer:rcode() == kres.rcode.NXDOMAIN
  req:set_extended_error(blocked and EDE_BLOCKED or EDE_OTHER, text)
end

M.layer.begin = function(state, req)
  if not on then return state end
  local fine, new = pcall(begin, state, req)
  return fine and new or state
end

M.layer.answer_finalize = function(state, req)
  if on then pcall(annotate, req) end
  return state
end

return M
