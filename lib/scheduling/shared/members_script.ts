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

/**
 * Lua: `join(state, members, id, limit, known)` registers a process, and returns the limit that holds for all
 * connected processes together, their number, and the number of those that may use a part of the limit.
 *
 * The lowest limit counts. `known` is the number of processes that a process knew before it was cut off; else 0.
 */
export const MEMBERS = `
local time = redis.call("TIME")
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local function text(value) return string.format("%.17g", value) end

-- Whether a later report has arrived before this one, which its sender no longer waits for.
local function isLate(state, id, number)
  if number <= tonumber(redis.call("HGET", state, "number:" .. id) or "-1") then return true end
  redis.call("HSET", state, "number:" .. id, number)
  return false
end

local function forget(state, members, onForget)
  local gone = redis.call("ZRANGEBYSCORE", members, "-inf", now - ${LOST_FOR * 1000})
  for _, process in ipairs(gone) do
    if onForget then onForget(process) end
    redis.call("HDEL", state, "limit:" .. process, "number:" .. process)
    redis.call("ZREM", members, process)
  end
end

local function join(state, members, id, limit, known, onForget)
  local isNew = not redis.call("ZSCORE", members, id)
  redis.call("ZADD", members, now + ${MEMBER_TTL * 1000}, id)
  local cached = redis.call("HMGET", state, "limit:" .. id, "recount", "effective", "live", "all", "known", "knownUntil")
  if known > 0 then
    if tonumber(cached[7] or "0") < now then cached[6] = "0" end
    cached[6] = tostring(math.max(known, tonumber(cached[6] or "0")))
    cached[7] = text(now + ${REUNION * 1000})
    redis.call("HSET", state, "known", cached[6], "knownUntil", cached[7])
  end
  if not isNew and known == 0 and tonumber(cached[1] or "-1") == limit and
    tonumber(cached[2] or "0") > now and tonumber(cached[2]) <= now + ${RECOUNT * 1000} then
    return tonumber(cached[3]), tonumber(cached[4]), tonumber(cached[5])
  end
  redis.call("HSET", state, "limit:" .. id, text(limit))
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
  return effective, live, all
end
`;
