-- Takes rooms that are due for one process: for others they are due again only when the lease is over,
-- in case this one dies. Saving a room says when it is due in truth.
--
-- KEYS: what is due.
-- ARGV: local time in ms (empty: the server's), the lease in ms, how many.
-- Answers: the local time, then the rooms.
local now = local_time(ARGV[1])
local claimed = redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[3])
for _, room_id in ipairs(claimed) do
  redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), room_id)
end
table.insert(claimed, 1, tostring(string.format('%.0f', now)))
return claimed
