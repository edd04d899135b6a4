-- Assigns one sighting to an alert, and stores and counts its event, in one atomic step.
--
-- KEYS  1 known   hash    sighting -> "kind alert folded_ms call"; retained after the event's content is erased
--       2 order   zset    sighting by order of folding
--       3 next    string  the last assigned order number
--       4 events  hash    sighting -> its content as JSON
--       5 counts  hash    camera and hour -> events; opened, camera and hour -> opened alerts
--       6 times   zset    this subject's sightings by captured_at, microseconds
-- ARGV  1 sighting  2 call (unique to one call of fold, and the same when that call is repeated)
--       3 content  4 alert to open  5 captured_us  6 captured_us - window
--       7 captured_us + window  8 field of counts  9 now_ms  10 retention_ms
-- Returns {kind, alert, content as stored}, or false if another call folded the sighting.

local known, order, events, times = KEYS[1], KEYS[2], KEYS[4], KEYS[6]
local sighting, captured = ARGV[1], tonumber(ARGV[5])

local before = redis.call('HGET', known, sighting)
if before then
  local kind, alert, call = string.match(before, '^(%a+) (%S+) %d+ (%S+)$')
  local content = redis.call('HGET', events, sighting)
  if call == ARGV[2] and content then
    return {kind, alert, content}
  end
  return false
end

-- Delete events older than the retention, oldest first, at most 100 per call.
local limit = tonumber(ARGV[9]) - tonumber(ARGV[10])
for _, old in ipairs(redis.call('ZRANGE', order, 0, 99)) do
  local folded = string.match(redis.call('HGET', known, old) or '', '^%a+ %S+ (%d+)')
  if folded and tonumber(folded) > limit then break end
  redis.call('ZREM', order, old)
  redis.call('HDEL', known, old)
  redis.call('HDEL', events, old)
end
for _, old in ipairs(redis.call('ZRANGE', times, 0, 99)) do
  if redis.call('HEXISTS', known, old) == 1 then break end
  redis.call('ZREM', times, old)
end

-- The alert and the capture time of the subject's nearest sighting on one side.
local function nearest(command, edge)
  while true do
    local found = redis.call(command, times, ARGV[5], edge, 'WITHSCORES', 'LIMIT', 0, 1)
    if #found == 0 then return nil, nil end
    local entry = redis.call('HGET', known, found[1])
    if entry then return string.match(entry, '^%a+ (%S+)'), tonumber(found[2]) end
    redis.call('ZREM', times, found[1])
  end
end

local kind, alert = 'opened', ARGV[4]
local earlier, earlier_at = nearest('ZREVRANGEBYSCORE', ARGV[6])
local later, later_at = nearest('ZRANGEBYSCORE', ARGV[7])
if earlier and (not later or captured - earlier_at <= later_at - captured) then
  kind, alert = 'joined', earlier
elseif later then
  kind, alert = 'joined', later
end

redis.call('HSET', known, sighting, table.concat({kind, alert, ARGV[9], ARGV[2]}, ' '))
redis.call('ZADD', order, redis.call('INCR', KEYS[3]), sighting)
redis.call('HSET', events, sighting, ARGV[3])
redis.call('HINCRBY', KEYS[5], ARGV[8], 1)
if kind == 'opened' then redis.call('HINCRBY', KEYS[5], 'opened\31' .. ARGV[8], 1) end
redis.call('ZADD', times, ARGV[5], sighting)
for _, key in ipairs(KEYS) do
  redis.call('PEXPIRE', key, ARGV[10])
end
return {kind, alert, ARGV[3]}
