-- Adds an event to the stream of a channel, and tells everybody of it.
-- KEYS: the stream, the instances. ARGV: where it is told, its name, its data, the channel, how many events and bytes are kept,
-- for how many seconds, and what the keys of counts begin with.
-- Returns its id, and how many listen.
local stream, instances = KEYS[1], KEYS[2]
local say, name, data, channel = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local most, bytes, seconds, counts = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]

-- Each entry has the id of the one before (p), and how much memory there was up to its end (t).
local function field(entry, wanted)
  for i = 1, #entry[2], 2 do
    if entry[2][i] == wanted then return entry[2][i + 1] end
  end
  return nil
end
-- As much as the hub reckons for an event, so that it keeps what is kept here.
local function size(event, text) return 300 + #event + #text end
local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
local before, total = '-', size(name, data)
if last then
  before = last[1]
  total = total + (tonumber(field(last, 't')) or 0)
end
local id = redis.call('XADD', stream, 'MAXLEN', '=', most, '*', 'p', before, 'n', name, 'd', data, 't', string.format('%.0f', total))
-- The newest one stays, however large it is.
while total > bytes do
  local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  local began = (tonumber(field(first, 't')) or 0) - size(field(first, 'n') or '', field(first, 'd') or '')
  if first[1] == id or total - began <= bytes then break end
  redis.call('XDEL', stream, first[1])
end
redis.call('EXPIRE', stream, seconds)
redis.call('PUBLISH', say, '1 ' .. id .. ' ' .. before .. ' ' .. name .. '\n' .. data)

local listeners = 0
local now = redis.call('TIME')
for _, instance in ipairs(redis.call('ZRANGEBYSCORE', instances, now[1] * 1000 + math.floor(now[2] / 1000), '+inf')) do
  listeners = listeners + (tonumber(redis.call('HGET', counts .. instance, channel)) or 0)
end
return { id, listeners }
