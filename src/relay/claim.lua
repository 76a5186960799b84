-- One origin of a site tells what stands there, for as long as it says so again in time.
-- KEYS: the origin. ARGV: the name of the origin, which is its id and the number of its connection, its address, and for how many milliseconds;
-- 0 if no longer.
-- Returns 1 if it is the origin, and 0 if another one is.
local function id(name) return string.match(name, '^[^%s.]+') end
local holder = redis.call('GET', KEYS[1])
if holder and id(holder) ~= id(ARGV[1]) then return 0 end
if ARGV[3] == '0' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
end
return 1
