-- The places that edges want which are there.
-- KEYS: the instances. ARGV: what the keys of wanted places begin with.
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local keys = {}
for _, instance in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now, '+inf')) do
  keys[#keys + 1] = ARGV[1] .. instance
end
if #keys == 0 then return {} end
return redis.call('SUNION', unpack(keys))
