-- Leads the repair no more, if this one did.
--
-- KEYS: who leads. ARGV: who resigns.
if redis.call('HGET', KEYS[1], 'who') == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
