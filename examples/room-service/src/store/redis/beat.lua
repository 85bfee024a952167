-- A heartbeat of a member who is there in time: one small write. Anything else is for the room to say.
--
-- KEYS: the room's heartbeats, the last grace.
-- ARGV: user (and a tab and the connection), timeout and clock skew in ms, local time in ms (empty: the
-- server's).
-- Answers: 1 if the user is alive, 0 if the room must be asked.
local timeout, skew, now = tonumber(ARGV[2]), tonumber(ARGV[3]), local_time(ARGV[4])
local last = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or nil)
if not last then return 0 end
local grace = tonumber(redis.call('GET', KEYS[2]) or '0')
-- Only the room knows whether a grace is for this connection, or it was silent before.
if grace > last and string.find(ARGV[1], '\t', 1, true) then return 0 end
last = math.max(last, grace)
if now > last + timeout or last > now + skew then return 0 end
if now > last then redis.call('ZADD', KEYS[1], now, ARGV[1]) end
return 1
