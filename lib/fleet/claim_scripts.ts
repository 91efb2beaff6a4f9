/**
 * The scripts that workers run on the server: reports, claims on records, and results.
 *
 * @module
 */
import { RedisScript } from "../redis/redis_script.ts";
import { JOB_TTL } from "./job_keys.ts";

const NOW = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * Reports a worker, forgets those that are silent, and returns the phase of its job, its generation, whether a
 * coordinator runs, and for which run of the server it has compared the records.
 *
 * KEYS: workers, reports[, state, lock, held]. ARGV: worker, report, forget after ms[, held records, held ms].
 */
export const REPORT: RedisScript = new RedisScript(`${NOW}
redis.call("ZADD", KEYS[1], now, ARGV[1])
redis.call("HSET", KEYS[2], ARGV[1], ARGV[2])
local silent = redis.call("ZRANGEBYSCORE", KEYS[1], "-inf", now - ARGV[3], "LIMIT", 0, 100)
for _, id in ipairs(silent) do
  redis.call("ZREM", KEYS[1], id)
  redis.call("HDEL", KEYS[2], id)
end
redis.call("PEXPIRE", KEYS[1], ARGV[3])
redis.call("PEXPIRE", KEYS[2], ARGV[3])
if not KEYS[3] then return {} end
if ARGV[4] ~= "" then redis.call("SET", KEYS[5], ARGV[4], "PX", ARGV[5]) end
return {
  redis.call("HGET", KEYS[3], "phase") or "",
  redis.call("HGET", KEYS[3], "generation") or "",
  redis.call("EXISTS", KEYS[4]),
  redis.call("HGET", KEYS[3], "run") or ""
}
`);

/** Returns the jobs that gave a sign of life in the last \`ms\`. KEYS: jobs. ARGV: ms. */
export const ACTIVE_JOBS: RedisScript = new RedisScript(`${NOW}
return redis.call("ZRANGEBYSCORE", KEYS[1], now - ARGV[1], "+inf")
`);

/** Returns the ids, milliseconds since the last report, and reports of all workers. KEYS: workers, reports. */
export const READ_WORKERS: RedisScript = new RedisScript(`${NOW}
local found = {}
local ids = redis.call("ZRANGE", KEYS[1], 0, -1, "WITHSCORES")
for i = 1, #ids, 2 do
  local report = redis.call("HGET", KEYS[2], ids[i])
  if report then
    found[#found + 1] = ids[i]
    found[#found + 1] = tostring(now - ids[i + 1])
    found[#found + 1] = report
  end
end
return found
`);

/**
 * Renews the claims of a worker on records. Returns those of \`ids\` that it has lost, and then, after an empty
 * string, those that it has without knowing it, because a reply was lost.
 *
 * KEYS: work. ARGV: group, worker, ids…
 */
export const RENEW: RedisScript = new RedisScript(`
if redis.call("EXISTS", KEYS[1]) == 0 then
  local lost = {}
  for i = 3, #ARGV do lost[#lost + 1] = ARGV[i] end
  return lost
end
local owned = {}
local start = "-"
while true do
  local page = redis.call("XPENDING", KEYS[1], ARGV[1], start, "+", 1000, ARGV[2])
  for _, entry in ipairs(page) do owned[entry[1]] = true end
  if #page < 1000 then break end
  start = "(" .. page[#page][1]
end
local reply, ours = {}, {}
for i = 3, #ARGV do
  if owned[ARGV[i]] then ours[#ours + 1] = ARGV[i] else reply[#reply + 1] = ARGV[i] end
  owned[ARGV[i]] = nil
end
for first = 1, #ours, 1000 do
  local last = math.min(first + 999, #ours)
  local args = {"XCLAIM", KEYS[1], ARGV[1], ARGV[2], "0"}
  for i = first, last do args[#args + 1] = ours[i] end
  args[#args + 1] = "JUSTID"
  redis.call(unpack(args))
end
reply[#reply + 1] = ""
for id in pairs(owned) do reply[#reply + 1] = id end
return reply
`);

/**
 * Claims records whose worker has given no sign of life. Returns for each: id, deliveries so far, fields.
 *
 * KEYS: work. ARGV: group, worker, idle ms, count.
 */
export const CLAIM: RedisScript = new RedisScript(`
local found = {}
if redis.call("EXISTS", KEYS[1]) == 0 then return found end
local pending = redis.call("XPENDING", KEYS[1], ARGV[1], "IDLE", ARGV[3], "-", "+", ARGV[4])
for _, entry in ipairs(pending) do
  if entry[2] ~= ARGV[2] then
    local content = redis.call("XRANGE", KEYS[1], entry[1], entry[1])
    if #content == 0 then
      redis.call("XACK", KEYS[1], ARGV[1], entry[1])
    else
      redis.call("XCLAIM", KEYS[1], ARGV[1], ARGV[2], ARGV[3], entry[1])
      found[#found + 1] = {entry[1], entry[4] + 1, content[1][2]}
    end
  end
end
return found
`);

/** Returns the fields of records that the worker has: id, deliveries, fields. KEYS: work. ARGV: group, worker, ids… */
export const READ_OWNED: RedisScript = new RedisScript(`
local found = {}
for i = 3, #ARGV do
  local pending = redis.call("XPENDING", KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2])
  local content = redis.call("XRANGE", KEYS[1], ARGV[i], ARGV[i])
  if #pending > 0 and #content > 0 then
    found[#found + 1] = {ARGV[i], pending[1][4], content[1][2]}
  end
end
return found
`);

/**
 * Delivers a group of results and forgets their records. Returns 1, or 0 if the job does not exist (any more), with
 * its phase.
 *
 * KEYS: spec, state, work, done. ARGV: generation, group, worker, sequence number, results, ids…
 */
export const DELIVER: RedisScript = new RedisScript(`
local generation = redis.call("HGET", KEYS[2], "generation")
if generation and generation ~= ARGV[1] then return {0, "ended"} end
if redis.call("EXISTS", KEYS[1]) == 0 or not generation then
  return {0, redis.call("HGET", KEYS[2], "phase") or ""}
end
redis.call("XADD", KEYS[4], "*", "w", ARGV[3], "s", ARGV[4], "b", ARGV[5])
redis.call("PEXPIRE", KEYS[4], ${JOB_TTL})
if #ARGV > 5 and redis.call("EXISTS", KEYS[3]) == 1 then
  local ids = {unpack(ARGV, 6)}
  redis.call("XACK", KEYS[3], ARGV[2], unpack(ids))
  redis.call("XDEL", KEYS[3], unpack(ids))
end
return {1}
`);

/**
 * Gives records back that the worker has not answered; those that others have claimed meanwhile are left to them.
 *
 * KEYS: spec, state, work, done. ARGV: generation, group, worker, sequence number, (id, result)…
 */
export const GIVE_BACK: RedisScript = new RedisScript(`
local generation = redis.call("HGET", KEYS[2], "generation")
if generation and generation ~= ARGV[1] then return {0, "ended"} end
if redis.call("EXISTS", KEYS[1]) == 0 or not generation then
  return {0, redis.call("HGET", KEYS[2], "phase") or ""}
end
local results = {}
for i = 5, #ARGV, 2 do
  local pending = redis.call("EXISTS", KEYS[3]) == 1
    and redis.call("XPENDING", KEYS[3], ARGV[2], ARGV[i], ARGV[i], 1, ARGV[3]) or {}
  if #pending > 0 then
    redis.call("XACK", KEYS[3], ARGV[2], ARGV[i])
    redis.call("XDEL", KEYS[3], ARGV[i])
    results[#results + 1] = ARGV[i + 1]
  end
end
if #results > 0 then
  redis.call("XADD", KEYS[4], "*", "w", ARGV[3], "s", ARGV[4],
    "b", "[" .. table.concat(results, ",") .. "]")
  redis.call("PEXPIRE", KEYS[4], ${JOB_TTL})
end
return {1}
`);
