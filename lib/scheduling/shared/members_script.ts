/**
 * The part of the scripts that knows which processes share a limit.
 *
 * @module
 */

/** Milliseconds for which a process counts as connected after its last report. */
export const MEMBER_TTL = 3000;
/**
 * Milliseconds after that for which its part of the limit is not given to others: it may be cut off from the
 * server, and use that part by itself.
 */
export const LOST_FOR = 60_000;
/** Milliseconds after Redis has come back, in which processes that are still cut off keep their parts. */
const REUNION = 5000;
/** Seconds after which an unused limit is forgotten. */
export const KEPT = 3600;
/** Milliseconds between two counts of the processes. */
export const RECOUNT = 250;
/** The number of arguments that every report begins with. */
export const MEMBER_ARGS = 5;

/**
 * Lua: reads what every report begins with, which is `ARGV[1]` to `ARGV[${MEMBER_ARGS}]`: the id of the process; the
 * number of the report; the run of the server, as the process knows it; the number of processes at the last report, 0
 * if none was answered yet; 1 if the process was cut off since, or 0.
 *
 * `join(state, members, limit, onForget)` registers the process. Returns the limit that holds for all connected
 * processes together, their number, the number of those that may use a part of the limit, and whether the server may
 * have lost what the process has reported before. The lowest limit counts.
 *
 * After a restart, the data may be older: processes use what it does not know of. So they count as cut off until
 * they report again.
 */
export const MEMBERS = `
local id, number, run = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local known, isCutOff = tonumber(ARGV[4]), ARGV[5] == "1"
local time = redis.call("TIME")
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local function text(value) return string.format("%.17g", value) end

-- Whether a later report has arrived before this one, which its sender no longer waits for.
local function isLate(state)
  if number <= tonumber(redis.call("HGET", state, "number:" .. id) or "-1") then return true end
  redis.call("HSET", state, "number:" .. id, number)
  return false
end

local function forget(state, members, onForget)
  local gone = redis.call("ZRANGEBYSCORE", members, "-inf", now - ${LOST_FOR * 1000})
  for _, process in ipairs(gone) do
    if onForget then onForget(process) end
    redis.call("HDEL", state, "limit:" .. process, "number:" .. process, "run:" .. process)
    redis.call("ZREM", members, process)
  end
end

local function awaitAll(state, processes)
  if tonumber(redis.call("HGET", state, "knownUntil") or "0") > now then
    processes = math.max(processes, tonumber(redis.call("HGET", state, "known") or "0"))
  end
  redis.call("HSET", state, "known", processes, "knownUntil", text(now + ${REUNION * 1000}))
end

local function join(state, members, limit, onForget)
  local stored = redis.call("HGET", state, "run")
  if stored ~= run then
    redis.call("HSET", state, "run", run)
    if stored then
      local before = redis.call("ZRANGE", members, 0, -1, "WITHSCORES")
      for i = 1, #before, 2 do
        if tonumber(before[i + 1]) >= now then redis.call("ZADD", members, now - 1, before[i]) end
      end
      awaitAll(state, #before / 2)
    end
  end
  local isNew = not redis.call("ZSCORE", members, id)
  local isReturning = known > 0 and (isNew or redis.call("HGET", state, "run:" .. id) ~= run)
  redis.call("ZADD", members, now + ${MEMBER_TTL * 1000}, id)
  if isReturning or isCutOff and known > 0 then awaitAll(state, known) end
  local cached = redis.call("HMGET", state, "limit:" .. id, "recount", "effective", "live", "all", "known", "knownUntil")
  if not isNew and not isReturning and not isCutOff and tonumber(cached[1] or "-1") == limit and
    tonumber(cached[2] or "0") > now and tonumber(cached[2]) <= now + ${RECOUNT * 1000} then
    return tonumber(cached[3]), tonumber(cached[4]), tonumber(cached[5]), false
  end
  redis.call("HSET", state, "limit:" .. id, text(limit), "run:" .. id, run)
  forget(state, members, onForget)
  local processes = redis.call("ZRANGE", members, 0, -1)
  local lowest = limit
  for _, process in ipairs(processes) do
    local other = tonumber(redis.call("HGET", state, "limit:" .. process) or text(limit))
    if other < lowest then lowest = other end
  end
  local live = redis.call("ZCOUNT", members, now, "+inf")
  local all = #processes
  if tonumber(cached[7] or "0") > now then all = math.max(all, tonumber(cached[6])) end
  local effective = lowest * live / all
  redis.call("HSET", state, "recount", text(now + ${RECOUNT * 1000}), "effective", text(effective),
    "live", live, "all", all)
  redis.call("EXPIRE", state, ${KEPT})
  redis.call("EXPIRE", members, ${KEPT})
  return effective, live, all, isReturning
end
`;
