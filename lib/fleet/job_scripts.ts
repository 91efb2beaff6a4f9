/**
 * The scripts that coordinators run on the server: the lock of a job, and what is in its streams.
 *
 * @module
 */
import { RedisScript } from "../redis/redis_script.ts";

const NOW = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * Takes the lock, or renews it, and reports that the job lives. Returns 1, or 2 if the lock had expired meanwhile;
 * or 0 and the holder's description if another process has it.
 *
 * KEYS: lock, jobs, state, spec, work, done. ARGV: owner, lock ms, job, job ms, finished.
 */
export const HOLD_LOCK: RedisScript = new RedisScript(`${NOW}
local holder = redis.call("GET", KEYS[1])
if holder and holder ~= ARGV[1] then return {0, holder, redis.call("PTTL", KEYS[1])} end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
redis.call("ZADD", KEYS[2], now, ARGV[3])
redis.call("ZREMRANGEBYSCORE", KEYS[2], "-inf", now - ARGV[4])
redis.call("PEXPIRE", KEYS[2], ARGV[4])
redis.call("HSET", KEYS[3], "finished", ARGV[5])
for i = 3, 6 do redis.call("PEXPIRE", KEYS[i], ARGV[4]) end
return {holder and 1 or 2}
`);

/** Gives the lock back if it is ours. KEYS: lock. ARGV: owner. */
export const RELEASE_LOCK: RedisScript = new RedisScript(`
if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end
return 0
`);

/**
 * Creates a job, or continues it: deletes what another generation has left. Returns whether the job is continued.
 *
 * KEYS: spec, state, work, done. ARGV: spec, generation, group, job ms, prefix of the streams.
 */
export const OPEN_JOB: RedisScript = new RedisScript(`
local old = redis.call("HGET", KEYS[2], "generation")
local same = old == ARGV[2] and redis.call("HGET", KEYS[2], "phase") ~= "ended"
if old and old ~= ARGV[2] then
  redis.call("DEL", ARGV[5] .. old .. ":work", ARGV[5] .. old .. ":done")
end
if not same then redis.call("DEL", KEYS[2], KEYS[3], KEYS[4]) end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[4])
redis.call("HSET", KEYS[2], "generation", ARGV[2], "phase", "running")
redis.call("PEXPIRE", KEYS[2], ARGV[4])
local groups = redis.call("EXISTS", KEYS[3]) == 1 and redis.call("XINFO", "GROUPS", KEYS[3]) or {}
if #groups == 0 then redis.call("XGROUP", "CREATE", KEYS[3], ARGV[3], "0", "MKSTREAM") end
redis.call("PEXPIRE", KEYS[3], ARGV[4])
return same and 1 or 0
`);

/**
 * Adds records, unless the coordinator has compared the stream with its window meanwhile, as it does after a command
 * has failed: a server that was frozen may run such a command much later. Returns 1, or 0.
 *
 * KEYS: work, state. ARGV: epoch, (index, hash, record)…
 */
export const ADD_WORK: RedisScript = new RedisScript(`
if redis.call("HGET", KEYS[2], "epoch") ~= ARGV[1] then return 0 end
for i = 2, #ARGV, 3 do
  redis.call("XADD", KEYS[1], "*", "i", ARGV[i], "h", ARGV[i + 1], "r", ARGV[i + 2])
end
return 1
`);

/**
 * Lists records in the work stream without their content: id, index, hash, one after the other.
 *
 * KEYS: work. ARGV: first id, count.
 */
export const LIST_WORK: RedisScript = new RedisScript(`
local found = {}
for _, entry in ipairs(redis.call("XRANGE", KEYS[1], ARGV[1], "+", "COUNT", ARGV[2])) do
  local fields = entry[2]
  found[#found + 1] = entry[1]
  found[#found + 1] = fields[2]
  found[#found + 1] = fields[4]
end
return found
`);

/**
 * Takes back records that no worker has yet; returns their indexes, at most \`count\`.
 *
 * KEYS: work. ARGV: group, count.
 */
export const WITHDRAW: RedisScript = new RedisScript(`
local found = {}
if redis.call("EXISTS", KEYS[1]) == 0 then return found end
local last
for _, group in ipairs(redis.call("XINFO", "GROUPS", KEYS[1])) do
  for i = 1, #group, 2 do
    if group[i] == "last-delivered-id" then last = group[i + 1] end
  end
end
if not last then return found end
for _, entry in ipairs(redis.call("XRANGE", KEYS[1], "(" .. last, "+", "COUNT", ARGV[2])) do
  redis.call("XDEL", KEYS[1], entry[1])
  found[#found + 1] = entry[2][2]
end
return found
`);

/**
 * Ends a job: only that it has ended is remembered for a while, so that late workers do not wait.
 *
 * KEYS: spec, state, lock, work, done, jobs. ARGV: job, ended ms, owner.
 */
export const END_JOB: RedisScript = new RedisScript(`
local holder = redis.call("GET", KEYS[3])
if holder and holder ~= ARGV[3] then return 0 end
redis.call("DEL", KEYS[1], KEYS[3], KEYS[4], KEYS[5])
redis.call("HSET", KEYS[2], "phase", "ended")
redis.call("PEXPIRE", KEYS[2], ARGV[2])
redis.call("ZREM", KEYS[6], ARGV[1])
return 1
`);
