/**
 * The script that counts a shared budget on the server.
 *
 * Each process reports, as absolute amounts, what it has spent and what it holds for requests. So a report that
 * arrives twice, late or not at all changes nothing that the next one does not set right; and what a process held
 * when it was killed counts as spent, without anybody having to notice.
 *
 * @module
 */
import { RedisScript } from "../../redis/redis_script.ts";

/** Seconds for which a process counts as alive after its last report. */
export const ALIVE = 10;
/** Seconds after which the report of a process that is gone is merged into the total. */
const MERGE_AFTER = 86_400;
/** Seconds for which a budget is kept after the last report. */
const KEPT = 30 * 86_400;
/** Seconds for which processes take no money ahead after one did not get what it needs. */
const SHORT = 3;
/** Seconds after a restart of the server in which no money is granted: all processes report first. */
const SETTLE = 2;
/** The share of the money left that a process takes ahead at most: less and less, near the end. */
const AHEAD_SHARE = 1 / 8;

/**
 * Replies with: whether the report was taken (a later one may have arrived before it); the USD that were granted;
 * the USD counted in total; the USD that other live processes hold, which they may return; whether money is short;
 * the id of the data.
 *
 * KEYS: the budget. ARGV: id of the process; number of the report; limit; USD spent and held; of which held; USD
 * needed in addition; USD to take ahead beyond that; the id of the data at the last report, or ""; USD that the
 * process had then; the total then; the minimum of the total; a new id of the data; the number of the last
 * report that was taken; the run of the server, as the process knows it.
 */
export const BUDGET_SCRIPT: RedisScript = new RedisScript(`
local key = KEYS[1]
local id = ARGV[1]
local number, limit, amount, held = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local need, ahead = tonumber(ARGV[6]), tonumber(ARGV[7])
local takenNumber = tonumber(ARGV[13])
local data, acknowledged, known, minimum = ARGV[8], tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local time = redis.call("TIME")
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local function get(field) return redis.call("HGET", key, field) end
local function text(value) return string.format("%.17g", value) end

local current = get("data")
if not current or get("run") ~= ARGV[14] then
  -- The server was restarted: its data may be older, or lost.
  redis.call("HSET", key, "run", ARGV[14], "floor", get("total") or "0")
  if current or data ~= "" then redis.call("HSET", key, "settled", text(now + ${SETTLE})) end
  current = ARGV[12]
  redis.call("HSET", key, "data", current)
end
local total = tonumber(get("total") or "0")
local storedNumber = tonumber(get("number:" .. id) or "-1")
if number <= storedNumber then
  return {0, "0", text(total), "0", 0, current}
end
local before = get("amount:" .. id)
if data ~= "" and data ~= current then
  before = acknowledged
  -- What was counted when the process last reported still counts, also that of processes that are gone.
  local floor = tonumber(get("floor"))
  if known > floor then
    total = total + known - floor
    redis.call("HSET", key, "floor", text(known))
  end
elseif before and storedNumber < takenNumber then
  -- Older data, of a server that does not name its runs.
  before = acknowledged
  total = math.max(total, known)
else
  before = tonumber(before or (data == "" and "0" or text(acknowledged)))
end
if total < minimum then total = minimum end
total = total - before + amount

local granted, others, isShort = 0, 0, 0
if tonumber(get("settled") or "0") > now then
  others = need
elseif need > 0 or ahead > 0 then
  local room = limit * (1 + 1e-9) - total
  if room >= need then
    local short = tonumber(get("short") or "0") > now
    granted = need
    if not short then granted = granted + math.min(ahead, (room - need) * ${AHEAD_SHARE}) end
  elseif need > 0 then
    redis.call("HSET", key, "short", text(now + ${SHORT}))
    local fields = redis.call("HGETALL", key)
    local seen, holds = {}, {}
    for i = 1, #fields, 2 do
      local kind, process = string.match(fields[i], "^(%a+):(.*)$")
      if kind == "seen" then seen[process] = tonumber(fields[i + 1]) end
      if kind == "held" then holds[process] = tonumber(fields[i + 1]) end
    end
    for process, at in pairs(seen) do
      if process ~= id and at + ${ALIVE} > now then others = others + (holds[process] or 0) end
      if process ~= id and at + ${MERGE_AFTER} < now then
        for _, kind in ipairs({"seen:", "held:", "amount:", "number:"}) do
          redis.call("HDEL", key, kind .. process)
        end
      end
    end
  end
end
if tonumber(get("short") or "0") > now then isShort = 1 end
total = total + granted
redis.call("HSET", key, "total", text(total), "amount:" .. id, text(amount + granted),
  "held:" .. id, text(held + granted), "number:" .. id, number, "seen:" .. id, text(now))
redis.call("EXPIRE", key, ${KEPT})
return {1, text(granted), text(total), text(others), isShort, current}
`);
