-- Asks the sidecar from inside a resolver that runs LuaJIT (PowerDNS Recursor, Knot Resolver), and never waits:
-- a question is a datagram sent when resolution starts, answers are read when it is done. Fails open.
local ffi = require('ffi')
local bit = require('bit')

ffi.cdef[[
typedef struct { uint16_t family; uint16_t port; uint8_t address[4]; uint8_t zero[8]; } dns_risk_sockaddr_in;
int socket(int domain, int type, int protocol);
int connect(int fd, const void *address, unsigned int length);
long send(int fd, const void *data, size_t length, int flags);
long recv(int fd, void *data, size_t length, int flags);
int close(int fd);
]]

local AF_INET, SOCK_DGRAM, SOCK_CLOEXEC, MSG_DONTWAIT = 2, 2, 0x80000, 0x40
local BUDGET_MS, KEPT, ASKED, READ_AT_ONCE = 500, 50000, 4096, 64

local M = {}
local fd, number = -1, 0
local asked, recent, older, count = {}, {}, {}, 0
local buffer = ffi.new('char[1024]')

-- Connect to the sidecar at IPV4:PORT. Each thread or process of a resolver has a socket of its own.
function M.open(place)
  place = place or os.getenv('DNS_RISK_PLUGIN_ADDRESS') or '127.0.0.1:5311'
  local a, b, c, d, port = place:match('^(%d+)%.(%d+)%.(%d+)%.(%d+):(%d+)$')
  if not a then return false end
  port = tonumber(port)
  if fd >= 0 then ffi.C.close(fd) end
  fd = ffi.C.socket(AF_INET, bit.bor(SOCK_DGRAM, SOCK_CLOEXEC), 0)
  local address = ffi.new('dns_risk_sockaddr_in')
  address.family = AF_INET
  address.port = bit.bor(bit.lshift(bit.band(port, 255), 8), bit.rshift(port, 8))
  address.address[0], address.address[1], address.address[2], address.address[3] =
    tonumber(a), tonumber(b), tonumber(c), tonumber(d)
  return fd >= 0 and ffi.C.connect(fd, address, 16) == 0
end

local function key(name)
  name = name:lower()
  if #name > 1 and name:sub(-1) == '.' then name = name:sub(1, -2) end
  return name
end

-- Send a question, unless the answer is known. Only the name and the type of a query leave the resolver.
function M.ask(name, qtype)
  name = key(name)
  if fd < 0 or M.known(name) then return end
  number = (number + 1) % 1000000
  asked[number % ASKED] = {number, name}
  local text = string.format('%d %d %s %s', number, BUDGET_MS, qtype, name)
  -- Nobody there, or no room to send: nothing is known, which is the same as allow.
  ffi.C.send(fd, text, #text, MSG_DONTWAIT)
end

-- Take the answers that have come.
function M.read()
  if fd < 0 then return end
  for _ = 1, READ_AT_ONCE do
    local length = tonumber(ffi.C.recv(fd, buffer, 1024, MSG_DONTWAIT))
    if length <= 0 then return end
    local id, score, ttl, reason =
      ffi.string(buffer, length):match('^(%d+) S (%d+) (%d+) (%S+)$')
    local question = id and asked[tonumber(id) % ASKED]
    if question and question[1] == tonumber(id) then
      if count >= KEPT then older, recent, count = recent, {}, 0 end
      count = count + 1
      recent[question[2]] = {os.time() + tonumber(ttl), tonumber(score), reason}
    end
  end
end

-- {until, score in thousandths, action/category} of a name, or nil.
function M.known(name)
  name = key(name)
  local told = recent[name] or older[name]
  if told and told[1] > os.time() then return told end
  return nil
end

-- Whether the sidecar says to block a name.
function M.blocks(told)
  return told ~= nil and told[3]:sub(1, 6) == 'block/'
end

-- Whether a name is on the operator's list.
function M.listed(told)
  return told ~= nil and told[3] == 'allow/listed'
end

-- What is told of it with the answer, or nil where there is nothing to tell.
function M.text(told)
  if told == nil or told[3]:sub(1, 6) == 'allow/' then return nil end
  return 'dns-risk ' .. told[3] .. ' ' .. told[2]
end

return M
