-- The origin says what stands at a place. Whoever was the origin once, and does not know that it is no longer, says nothing; nor does an old
-- connection of it, of which something comes late.
-- KEYS: the origin, the document, the number of the last document.
-- ARGV: the name of the origin, where it is told, what stands before and after the number in the message, the version, kind, modification
-- and contents, whether the contents stand in the message, and for how many milliseconds it is kept.
-- Returns 1 if it is the origin, and 0 if it is not.
local holder = redis.call('GET', KEYS[1])
if not holder or string.match(holder, '^%S+') ~= ARGV[1] then return 0 end
local document, version = KEYS[2], ARGV[5]
local old = redis.call('HMGET', document, 'o', 'v')
if old[1] ~= ARGV[1] or old[2] ~= version then
  -- Later ones have larger numbers, also after all was lost: so many microseconds since 1970.
  local now = redis.call('TIME')
  local number = math.max(now[1] * 1000000 + now[2], (tonumber(redis.call('GET', KEYS[3])) or 0) + 1)
  local text = string.format('%.0f', number)
  redis.call('SET', KEYS[3], text)
  redis.call('HSET', document, 'o', ARGV[1], 'n', text, 'v', version, 'k', ARGV[6], 'm', ARGV[7], 'b', ARGV[8])
  -- Most edges have what is only told anew, and ask if they have not.
  local contents = ARGV[9] == '1' and old[2] ~= version and ARGV[8] or ''
  redis.call('PUBLISH', ARGV[2], ARGV[3] .. text .. ARGV[4] .. contents)
end
redis.call('PEXPIRE', document, ARGV[10])
return 1
