-- The local time in ms: the one that is given, or the server's if none is.
local function local_time(given)
  local now = tonumber(given)
  if now then return now end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

