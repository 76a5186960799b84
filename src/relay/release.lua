-- The origin looks no longer at a place that nobody wants.
-- KEYS: the origin, the document, the instances. ARGV: the id of the instance, the place, and what the keys of wanted places begin with.
-- Returns 1 if that is so, and 0 if somebody wants it still.
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
for _, instance in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], now, '+inf')) do
  if redis.call('SISMEMBER', ARGV[3] .. instance, ARGV[2]) == 1 then return 0 end
end
local holder = redis.call('GET', KEYS[1])
if holder and string.match(holder, '^%S+') == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1
