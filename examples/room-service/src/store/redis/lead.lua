-- Leads the repair, or goes on leading it, unless another process does; and reads what became of the
-- rooms since the last call.
--
-- KEYS: who leads, standings.
-- ARGV: who asks, local time in ms (empty: the server's), the lease in ms, after which entry (empty: none
-- was read yet), how many entries.
-- Answers: the local time; '' if another leads, 'lost' if entries are gone that were not read, else
-- 'leads'; the entries.
local now = local_time(ARGV[2])
local at = string.format('%.0f', now)
local held = redis.call('HMGET', KEYS[1], 'who', 'until')
if held[1] and held[1] ~= ARGV[1] and tonumber(held[2]) > now then return { at, '', {} } end
redis.call('HSET', KEYS[1], 'who', ARGV[1], 'until', string.format('%.0f', now + tonumber(ARGV[3])))
if ARGV[4] == '' or #redis.call('XRANGE', KEYS[2], ARGV[4], ARGV[4]) == 0 then
  return { at, 'lost', {} }
end
return { at, 'leads', redis.call('XRANGE', KEYS[2], '(' .. ARGV[4], '+', 'COUNT', ARGV[5]) }
