-- An instance is there for some time more. Others whose time is over are forgotten.
-- KEYS: the instances, the counts of this one. ARGV: its id, and for how many milliseconds.
-- Returns whether its counts are still there.
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. now)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('PEXPIRE', KEYS[2], ARGV[2])
