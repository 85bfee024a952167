-- Saves a room, with all that follows from it, unless somebody else saved it since it was loaded.
--
-- KEYS: the room, its heartbeats, the lists by time, by users and by id, the rooms that are held, what
-- is due, totals, rooms of hosts, events, standings, versions.
-- ARGV: see `Save::invoke`, which is the only caller; an empty text stands for none.
-- Answers: the new version, or why not.
local room_id, loaded, body, summary = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local by_time, by_users, users, streams = ARGV[5], ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
local host, due, standing, is_answer = ARGV[9], ARGV[10], ARGV[11], ARGV[12] == '1'
local max_rooms, max_of_host, keep = tonumber(ARGV[13]), tonumber(ARGV[14]), ARGV[15]

-- Lists come last, each with its length before it.
local place = 16
local function list()
  local items, length = {}, tonumber(ARGV[place])
  for i = 1, length do items[i] = ARGV[place + i] end
  place = place + 1 + length
  return items
end
local judged, beats, gone, events = list(), list(), list(), list()

local old = redis.call('HMGET', KEYS[1], 'version', 'by-time', 'by-users', 'users', 'streams', 'host', 'standing')
if (old[1] or '') ~= loaded then return 'conflict' end

-- Who was found silent must still be: a heartbeat may have come since.
for i = 1, #judged, 2 do
  local last = redis.call('ZSCORE', KEYS[2], judged[i])
  if last and tonumber(last) > tonumber(judged[i + 1]) then return 'conflict' end
end

local was_listed, is_listed = old[2] or false, summary ~= ''
local old_host = old[6] or ''
if max_rooms and is_listed and not was_listed and redis.call('ZCARD', KEYS[5]) >= max_rooms then
  return 'rooms'
end
if max_of_host and host ~= '' and host ~= old_host then
  if tonumber(redis.call('HGET', KEYS[9], host) or '0') >= max_of_host then return 'host' end
end

-- Nothing is refused from here on.
local function move(key, from, to)
  if from and from ~= to then redis.call('ZREM', key, from) end
  if to ~= '' and from ~= to then redis.call('ZADD', key, 0, to) end
end
move(KEYS[3], old[2], by_time)
move(KEYS[4], old[3], by_users)
move(KEYS[5], was_listed and room_id, is_listed and room_id or '')

local function add(field, by)
  if by ~= 0 then redis.call('HINCRBY', KEYS[8], field, by) end
end
add('users', users - tonumber(old[4] or '0'))
add('streams', streams - tonumber(old[5] or '0'))

if host ~= old_host then
  if old_host ~= '' and redis.call('HINCRBY', KEYS[9], old_host, -1) <= 0 then
    redis.call('HDEL', KEYS[9], old_host)
  end
  if host ~= '' then redis.call('HINCRBY', KEYS[9], host, 1) end
end

if is_listed then
  for i = 1, #beats, 3 do
    -- One that came since is newer, unless ours takes back what lay in the future.
    local last = redis.call('ZSCORE', KEYS[2], beats[i])
    if not last or tonumber(last) < tonumber(beats[i + 1]) or last == beats[i + 2] then
      redis.call('ZADD', KEYS[2], beats[i + 1], beats[i])
    end
  end
  for i = 1, #gone do redis.call('ZREM', KEYS[2], gone[i]) end
else
  redis.call('DEL', KEYS[2])
end

local version = tostring(redis.call('INCR', KEYS[12]))
if body == '' then
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[6], room_id)
else
  redis.call('HSET', KEYS[1], 'version', version, 'body', body, 'users', users, 'streams', streams, 'standing', standing)
  if is_listed then
    redis.call('HSET', KEYS[1], 'summary', summary, 'by-time', by_time, 'by-users', by_users)
  else
    redis.call('HDEL', KEYS[1], 'summary', 'by-time', 'by-users')
  end
  if host ~= '' then redis.call('HSET', KEYS[1], 'host', host) else redis.call('HDEL', KEYS[1], 'host') end
  if loaded == '' then redis.call('ZADD', KEYS[6], 0, room_id) end
end
if due ~= '' then redis.call('ZADD', KEYS[7], due, room_id) else redis.call('ZREM', KEYS[7], room_id) end

for i = 1, #events do
  redis.call('XADD', KEYS[10], 'MAXLEN', '~', keep, '*', 'change', events[i])
end
if standing ~= (old[7] or '') then
  redis.call('XADD', KEYS[11], 'MAXLEN', '~', keep, '*', 'room', room_id, 'stands', standing)
end
if is_answer then
  redis.call('XADD', KEYS[11], 'MAXLEN', '~', keep, '*', 'room', room_id, 'answered', '')
end
return version
