-- Which member films which camera of a deployment. Each function below is one atomic step; every key
-- has the deployment's hash tag. Times are this server's; the clients' clocks do not matter.
--
-- KEYS  1 members  zset    member -> time at which it counts as dead, ms
--       2 facts    hash    member -> its room, whether it leaves, digest of its list
--       3 holders  hash    camera -> member with its lease; free if that member is dead
--       4 over     hash    file filmed to its end -> time, ms
--       5 version  string  changes with each change of the others
--       6 ...      string  keys of the function: a list, the cameras' epochs
-- ARGV  1 function  2 member  3 ... its own

local members, facts, holders, over, version = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local member = ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function change()
  if redis.call('INCR', version) < now then redis.call('SET', version, now) end
end

-- One more than the last epoch, and no less than the clock: epochs also grow after lost writes.
local function next_epoch(key)
  local epoch = redis.call('INCR', key)
  if epoch < now then
    redis.call('SET', key, now)
    return now
  end
  return epoch
end

local function lives(who)
  local until_ms = redis.call('ZSCORE', members, who)
  return until_ms and tonumber(until_ms) > now
end

local steps = {}

-- ARGV 3 ttl_ms  4 facts  5 version known to the member  6 ... cameras that it believes to hold
-- Returns 1 for a member that was not alive, 1 where the list (KEYS 6) is missing, the numbers of the
-- cameras that are not its own, the version, the time, and, where the version differs, everything.
function steps.beat()
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
  local seen = redis.call('GET', version) or '0'
  if seen == ARGV[5] then return {joined, list_missing, lost, seen, now} end
  return {joined, list_missing, lost, seen, now, redis.call('HGETALL', facts),
    redis.call('HGETALL', holders), redis.call('HGETALL', over)}
end

-- ARGV 3 ... for each camera its name and the requested epoch or ''; KEYS 6 ... their epochs
-- Returns for each camera its epoch, 'held', or 'over' and the last epoch where that is higher than
-- the requested one. A member that is not alive takes nothing.
function steps.take()
  local answers = {}
  local alive = lives(member)
  for i = 0, (#ARGV - 2) / 2 - 1 do
    local camera, pinned, epoch = ARGV[3 + 2 * i], ARGV[4 + 2 * i], KEYS[6 + i]
    local holder = redis.call('HGET', holders, camera)
    local last = pinned ~= '' and redis.call('GET', epoch)
    if last and tonumber(last) > tonumber(pinned) then
      answers[i + 1] = 'over ' .. last
    elseif not alive or (holder and holder ~= member and lives(holder)) then
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

-- ARGV 3 camera; KEYS 6 its epoch. Returns the next epoch, false where another member has the camera.
function steps.advance()
  if redis.call('HGET', holders, ARGV[3]) ~= member then return false end
  return string.format('%.0f', next_epoch(KEYS[6]))
end

-- ARGV 3 camera  4 '1' where it is over
function steps.give_back()
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
