/**
 * The scripts by which gateways share spending on a Redis server.
 *
 * Every gateway reports the sums of its own spending, not differences: a script that has run already, or runs again
 * after the server has lost its data, changes nothing. Reservations have ids, for the same reason. All amounts are
 * whole nanodollars.
 *
 * The keys, after `gateway:`, which exist as long as the ledger unless noted otherwise:
 * - `balance:SCOPE` is a hash of sums: `s` is spent, `r` is reserved, `e` is the part of `s` that gateways which have
 *   ended have left, `n` counts requests; each for `total`, a month, or a day.
 * - `rows:SOURCE` is a hash of the spending that one gateway has reported; `rows:ended` is that of ended gateways.
 * - `open:INSTANCE` is a hash of open reservations, `recovered:INSTANCE` of those that count as spent (for a day).
 * - `instances` is the sorted set of running gateways by the time at which they count as dead.
 * - `changed` is the sorted set of scopes by the number of their last change, from the counter `seq`.
 * - `run` is the run of the server in which the gateways last reported. After another start, the data may be older.
 * - `recovering` exists (for seconds) while gateways report what the server has lost: no money is granted.
 *
 * @module
 */
import { RedisScript } from "../../../redis/redis_script.ts";
import { RECOVERY_TIME } from "./recovery_scripts.ts";
import { SUMS } from "./sums_script.ts";

/** Ends a gateway: its open reservations count as spent, and what it has spent moves to that of ended gateways. */
const END = `
local recovered, recoveredCost = 0, 0
local function fold(source)
  local name = base .. ":rows:" .. source
  local rows = redis.call("HGETALL", name)
  for i = 1, #rows, 2 do
    local row, counts = cjson.decode(rows[i]), numbers(rows[i + 1])
    add("e", {day = row[1], key = row[2], team = row[3]}, counts[8], 0)
    addRow(base .. ":rows:ended", rows[i], counts)
  end
  redis.call("DEL", name)
  redis.call("SREM", base .. ":sources", source)
end
local function finish(instance)
  local open, lost = base .. ":open:" .. instance, base .. ":recovered:" .. instance
  local held = redis.call("HGETALL", open)
  for i = 1, #held, 2 do
    local reservation = cjson.decode(held[i + 1])
    local amount = tonumber(reservation.amount)
    add("r", reservation, -amount, 0)
    lostRow(reservation, 1)
    redis.call("HSET", lost, held[i], held[i + 1])
    recovered, recoveredCost = recovered + 1, recoveredCost + amount
  end
  redis.call("DEL", open)
  redis.call("PEXPIRE", lost, 86400000)
  local about = redis.call("HGET", base .. ":about", instance)
  if about then
    about = cjson.decode(about)
    if not about.isFile then fold(about.source) end
  end
  redis.call("HDEL", base .. ":about", instance)
  redis.call("ZREM", base .. ":instances", instance)
end
`;

/**
 * Exchanges what a gateway has done for the sums of all: releases, rows of spending, reservations to restore, and
 * new reservations, in this order. Returns the result of each new reservation (nothing, `wait`, or the budget that
 * does not allow it) and the sums of the scopes that have changed; an empty list if the server was restarted or has
 * lost its data since the last tick, which finds out.
 */
export const EXCHANGE: RedisScript = new RedisScript(`${SUMS}
local order = cjson.decode(ARGV[1])
if redis.call("GET", base .. ":run") ~= order.run then return {} end
local open = base .. ":open:" .. order.instance
local lost = base .. ":recovered:" .. order.instance
local function takeBack(id)
  local stored = redis.call("HGET", lost, id)
  if not stored then return end
  local reservation = cjson.decode(stored)
  lostRow(reservation, -1)
  redis.call("HDEL", lost, id)
  return reservation
end
local function hold(reservation, amount)
  reservation.amount = text(amount)
  redis.call("HSET", open, reservation.id, cjson.encode(reservation))
  add("r", reservation, amount, 0)
end
for _, settled in ipairs(order.settled) do
  local id, remaining = settled[1], settled[2]
  local stored = redis.call("HGET", open, id)
  if stored then
    local reservation = cjson.decode(stored)
    local amount = tonumber(reservation.amount)
    if remaining < amount then
      add("r", reservation, -amount, 0)
      redis.call("HDEL", open, id)
      if remaining > 0 then hold(reservation, remaining) end
    end
  else
    local reservation = takeBack(id)
    if reservation and remaining > 0 then hold(reservation, remaining) end
  end
end
local rows = base .. ":rows:" .. order.source
if #order.rows > 0 then redis.call("SADD", base .. ":sources", order.source) end
for _, row in ipairs(order.rows) do
  local before = numbers(redis.call("HGET", rows, row.field))
  local sums = {}
  for i = 1, 8 do sums[i] = text(math.max(before[i] or 0, row.counts[i])) end
  redis.call("HSET", rows, row.field, table.concat(sums, " "))
  add("s", row, tonumber(sums[8]) - (before[8] or 0), tonumber(sums[1]) - (before[1] or 0))
end
for _, reservation in ipairs(order.restored) do
  if redis.call("HEXISTS", open, reservation.id) == 0 then
    takeBack(reservation.id)
    hold(reservation, reservation.amount)
  end
end
local isRecovering = #order.reserved > 0 and redis.call("EXISTS", base .. ":recovering") == 1
local seen = {}
local function shortage(reservation)
  local blocked
  local amount, day = reservation.amount, reservation.day
  local periods = {{"day", day}, {"month", string.sub(day, 1, 7)}, {"total", "total"}}
  for _, budget in ipairs(reservation.budgets) do
    local name = base .. ":balance:" .. budget.scope
    seen[budget.scope] = true
    for _, period in ipairs(periods) do
      local limit = budget[period[1]]
      if limit then
        local sums = redis.call("HMGET", name, "s:" .. period[2], "r:" .. period[2])
        local spent, reserved = tonumber(sums[1] or 0), tonumber(sums[2] or 0)
        if spent + reserved + amount > limit then
          local isFinal = spent + amount > limit
          local found = {budget.scope, period[1], text(limit), text(spent), text(reserved), isFinal and 1 or 0}
          if isFinal then return found end
          blocked = blocked or found
        end
      end
    end
  end
  return blocked
end
local results = {}
for i, reservation in ipairs(order.reserved) do
  results[i] = {}
  if redis.call("HEXISTS", open, reservation.id) == 0 then
    if isRecovering then
      results[i] = {"wait"}
    else
      local found = shortage(reservation)
      if found then
        results[i] = found
      else
        reservation.budgets = nil
        hold(reservation, reservation.amount)
      end
    end
  end
end
for scope in pairs(touched) do
  seen[scope] = true
  local name = base .. ":balance:" .. scope
  if redis.call("HLEN", name) > 40 then
    for _, field in ipairs(redis.call("HKEYS", name)) do
      local period = string.sub(field, 3)
      if period ~= "total" and period < string.sub(order.keptFrom, 1, #period) then redis.call("HDEL", name, field) end
    end
  end
end
publish()
local balances = {}
for scope in pairs(seen) do
  balances[#balances + 1] = {scope, redis.call("HGETALL", base .. ":balance:" .. scope)}
end
return {results, balances}
`);

/**
 * Says that a gateway is alive, ends those that are not, and returns the server's time, whether the gateway was
 * still known, the number of gateways, what was recovered, the version of the keys, the number of the last change,
 * the sums of the scopes that have changed since the given number, the id of the data (another one means that
 * the server has lost everything), and the running gateways.
 *
 * After a restart of the server, no gateway counts as dead before it had time to report.
 */
export const TICK: RedisScript = new RedisScript(`${SUMS}${END}
local now = time()
local instances = base .. ":instances"
redis.call("SET", base .. ":data-id", ARGV[1] .. text(now), "NX")
local run = redis.call("GET", base .. ":run")
if run ~= ARGV[5] then
  redis.call("SET", base .. ":run", ARGV[5])
  if run then
    redis.call("SET", base .. ":recovering", "1", "PX", ${RECOVERY_TIME})
    for _, instance in ipairs(redis.call("ZRANGE", instances, 0, -1)) do
      redis.call("ZADD", instances, now + ARGV[3], instance)
    end
  end
end
local known = redis.call("ZSCORE", instances, ARGV[1])
redis.call("ZADD", instances, now + ARGV[3], ARGV[1])
redis.call("HSET", base .. ":about", ARGV[1], ARGV[2])
for _, dead in ipairs(redis.call("ZRANGEBYSCORE", instances, "-inf", now, "LIMIT", 0, 5)) do finish(dead) end
publish()
local scopes = redis.call("ZRANGEBYSCORE", base .. ":changed", "(" .. ARGV[4], "+inf", "WITHSCORES", "LIMIT", 0, 200)
local balances = {}
for i = 1, #scopes, 2 do
  balances[#balances + 1] = {scopes[i], redis.call("HGETALL", base .. ":balance:" .. scopes[i]), scopes[i + 1]}
end
return {
  now, known and 1 or 0, redis.call("ZCARD", instances), recovered, text(recoveredCost),
  redis.call("HGET", base .. ":keys", "version") or "", tonumber(redis.call("GET", base .. ":seq") or 0), balances,
  redis.call("GET", base .. ":data-id"), redis.call("ZRANGE", instances, 0, -1),
}
`);

/** Ends the gateway that calls it. */
export const LEAVE: RedisScript = new RedisScript(`${SUMS}${END}
finish(ARGV[1])
publish()
return 1
`);

/** Moves the rows of a source from before a day to rows without a day. The sums stay. */
export const PRUNE: RedisScript = new RedisScript(`${SUMS}
local name = base .. ":rows:" .. ARGV[1]
local rows = redis.call("HGETALL", name)
for i = 1, #rows, 2 do
  local day = cjson.decode(rows[i])[1]
  if day ~= "" and day < ARGV[2] then
    redis.call("HDEL", name, rows[i])
    addRow(name, '[""' .. string.sub(rows[i], #day + 4), numbers(rows[i + 1]))
  end
end
return 1
`);
