-- lua-dns-script of PowerDNS Recursor: asks the sidecar in parallel with recursion, annotates with an extended
-- error, and blocks the first answer where that is switched on; see docs/resolvers.md.
local BLOCK = os.getenv('DNS_RISK_PLUGIN_BLOCK') == '1'
local EDE_OTHER, EDE_BLOCKED = 0, 15

package.path = (os.getenv('DNS_RISK_PLUGIN_LUA') or '/usr/share/dns-risk/lua') .. '/?.lua;' .. package.path
local loaded, risk = pcall(require, 'dns_risk')
local on = loaded and risk.open()
if not on then pdnslog('dns-risk: off: ' .. tostring(risk), pdns.loglevels.Error) end

local function tell(dq)
  risk.read()
  local told = risk.known(dq.qname:toString())
  if told == nil then
    -- Without a score yet: keep this answer out of the packet cache, so that the next one is looked at.
    dq.variable = true
    return false
  end
  local text = risk.text(told)
  if text == nil then return false end
  dq.extendedErrorCode = EDE_OTHER
  dq.extendedErrorExtra = text
  if BLOCK and risk.blocks(told) then
    dq.extendedErrorCode = EDE_BLOCKED
    dq:setRecords({})
    dq.rcode = pdns.NXDOMAIN
    return true
  end
  return true
end

function preresolve(dq)
  if on then pcall(risk.ask, dq.qname:toString(), tostring(dq.qtype)) end
  return false
end

function postresolve(dq)
  if not on then return false end
  local fine, changed = pcall(tell, dq)
  return fine and changed
end

