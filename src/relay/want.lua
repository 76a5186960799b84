-- An edge wants to know what stands at a place, and whenever that is something else.
-- KEYS: what it wants. ARGV: the place, where origins are asked, for how many milliseconds the edge is there, the version that it has, the
-- document, and the origin. The last two are no KEYS, because whoever names a key there must be allowed to write to it.
-- Returns whether an origin is there and tells of this place already, its number, version, kind and modification, and the contents if they are
-- others. If not, the origin is asked.
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local origin = redis.call('GET', ARGV[6])
local document = redis.call('HMGET', ARGV[5], 'o', 'n', 'v', 'k', 'm')
local is_current = origin and document[1] and string.match(origin, '^%S+') == document[1]
if not is_current then redis.call('PUBLISH', ARGV[2], '1 want ' .. ARGV[1]) end
if not document[1] then return { 0 } end
local bytes = document[3] ~= ARGV[4] and redis.call('HGET', ARGV[5], 'b')
return { is_current and 1 or 0, document[2], document[3], document[4], document[5], bytes }
