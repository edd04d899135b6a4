-- The leases of a deployment's cameras. Each function below is one atomic step, and every key has the
-- deployment's hash tag. All times are from this server's clock.
--
-- KEYS  1 members  zset    member -> time after which the member counts as dead, ms
--       2 facts    hash    member -> its room, whether it is leaving, digest of its camera list
--       3 holders  hash    camera -> member with the lease; the camera is free if that member is dead
--       4 over     hash    file filmed to its end -> time of its end, ms
--       5 version  string  grows with each change of the other keys
--       6 ...      string  keys of the function: a camera list, or the cameras' epochs
-- ARGV  1 function  2 member  3 ... arguments of the function

local members, facts, holders, over, version = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local member = ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function change()
  if redis.call('INCR', version) < now then redis.call('SET', version, now) end
end

-- At least the last epoch plus one, and at least the clock, so that epochs grow after lost writes too.
local function next_epoch(key)
  local epoch = redis.call('INCR', key)
  if epoch < now then
    redis.call('SET', key, now)
    return now
  end
  return epoch
end

local function is_alive(who)
  local until_ms = redis.call('ZSCORE', members, who)
  return until_ms and tonumber(until_ms) > now
end

local steps = {}

-- ARGV 3 ttl_ms  4 facts  5 version that the member has read  6 ... cameras that it counts as its own
-- Returns 1 if the member was not alive, 1 if its camera list (KEYS 6) is missing, the indexes of the
-- cameras of others, the version, and the time. If the version differs: also facts, holders and over.
function steps.heartbeat()
  local changed = false
  for _, dead in ipairs(redis.call('ZRANGEBYSCORE', members, '-inf', now)) do
    redis.call('ZREM', members, dead)
    redis.call('HDEL', facts, dead)
    changed = true
  end
  local joined = redis.call('ZADD', members, now + ARGV[3], member)
  if redis.call('HGET', facts, member) ~= ARGV[4] then
    redis.call('HSET', facts, member, ARGV[4])
    changed = true
  end
  if changed or joined == 1 then change() end
  local lost = {}
  for first = 6, #ARGV, 1000 do
    local last = math.min(first + 999, #ARGV)
    local found = redis.call('HMGET', holders, unpack(ARGV, first, last))
    for i, holder in ipairs(found) do
      if holder ~= member then lost[#lost + 1] = first + i - 7 end
    end
  end
  local list_missing = 1 - redis.call('PEXPIRE', KEYS[6], 86400000)
  local current = redis.call('GET', version) or '0'
  if current == ARGV[5] then return {joined, list_missing, lost, current, now} end
  return {joined, list_missing, lost, current, now, redis.call('HGETALL', facts),
    redis.call('HGETALL', holders), redis.call('HGETALL', over)}
end

-- ARGV 3 ... the name and the requested epoch (or '') of each camera; KEYS 6 ... the cameras' epochs
-- Returns for each camera its epoch, or 'held' if another member has the lease, or 'over' with the
-- last epoch if that is higher than the requested epoch. A dead member gets no lease.
function steps.acquire()
  local answers = {}
  local alive = is_alive(member)
  for i = 0, (#ARGV - 2) / 2 - 1 do
    local camera, pinned, epoch = ARGV[3 + 2 * i], ARGV[4 + 2 * i], KEYS[6 + i]
    local holder = redis.call('HGET', holders, camera)
    local last = pinned ~= '' and redis.call('GET', epoch)
    if last and tonumber(last) > tonumber(pinned) then
      answers[i + 1] = 'over ' .. last
    elseif not alive or (holder and holder ~= member and is_alive(holder)) then
      answers[i + 1] = 'held'
    else
      redis.call('HSET', holders, camera, member)
      if pinned ~= '' then
        redis.call('SET', epoch, pinned)
        answers[i + 1] = pinned
      else
        answers[i + 1] = string.format('%.0f', next_epoch(epoch))
      end
      change()
    end
  end
  return answers
end

-- ARGV 3 camera; KEYS 6 its epoch. Returns the next epoch; false if the member does not have the lease.
function steps.next_epoch()
  if redis.call('HGET', holders, ARGV[3]) ~= member then return false end
  return string.format('%.0f', next_epoch(KEYS[6]))
end

-- ARGV 3 camera  4 '1' for a file filmed to its end
function steps.release()
  if redis.call('HGET', holders, ARGV[3]) ~= member then return 0 end
  redis.call('HDEL', holders, ARGV[3])
  if ARGV[4] == '1' then redis.call('HSET', over, ARGV[3], now) end
  change()
  return 1
end

function steps.leave()
  redis.call('ZREM', members, member)
  redis.call('HDEL', facts, member)
  local all = redis.call('HGETALL', holders)
  for i = 1, #all, 2 do
    if all[i + 1] == member then redis.call('HDEL', holders, all[i]) end
  end
  change()
  return 1
end

return steps[ARGV[1]]()
