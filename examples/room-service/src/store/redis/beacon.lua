-- Some process can reach this server. If none could for long, all members get a grace: their
-- heartbeats could not be heard.
--
-- KEYS: when it was reached last, the last grace.
-- ARGV: how long is long, in ms; local time in ms (empty: the server's).
-- Answers: 1 if a grace was given.
local now = local_time()
local last = tonumber(redis.call('GET', KEYS[1]) or nil)
redis.call('SET', KEYS[1], string.format('%.0f', now))
if not last or now - last <= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[2], ARGV[2] ~= '' and ARGV[2] or string.format('%.0f', now))
return 1
