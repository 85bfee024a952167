-- A page of an index, with one field of each of its rooms.
--
-- KEYS: the index.
-- ARGV: what the keys of rooms begin with, how many bytes stand before the id in the index, the field,
-- from which place, up to which place, how many, and whether backwards.
-- Answers: place, field, place, field …; an empty field if a room has none.
local from, to, count = ARGV[4], ARGV[5], ARGV[6]
local places
if ARGV[7] == '1' then
  places = redis.call('ZRANGE', KEYS[1], from, to, 'BYLEX', 'REV', 'LIMIT', 0, count)
else
  places = redis.call('ZRANGE', KEYS[1], from, to, 'BYLEX', 'LIMIT', 0, count)
end
local page = {}
for i, place in ipairs(places) do
  local room_id = string.sub(place, tonumber(ARGV[2]) + 1)
  page[2 * i - 1] = place
  page[2 * i] = redis.call('HGET', ARGV[1] .. room_id, ARGV[3]) or ''
end
return page
