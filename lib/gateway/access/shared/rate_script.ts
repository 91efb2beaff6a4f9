/**
 * The script by which gateways share rates and slots.
 *
 * A gateway takes a block of a bucket ahead, and reports what it has used of it as a sum that only it changes: a
 * script that has run already changes nothing. What gateways hold counts as if it were still in the bucket, so that
 * all together never send more than one gateway alone would. The buckets expire when they would be full again.
 *
 * @module
 */
import { RedisScript } from "../../../redis/redis_script.ts";

/** A block that a gateway asks for. */
export interface RateOrder {
  scope: string;
  kind: "rpm" | "tpm" | "slots";
  limit: number;
  /** Everything used so far; of slots, what is in flight. */
  used: number;
  /** What the gateway wants to hold. */
  target: number;
  /** Without this amount, the rest is of no use. */
  need: number;
  /** The level of the bucket as far as the gateway knows, in case the server has lost it. */
  level: number;
}

/** What the gateway now holds, and what is left in the bucket. */
export type RateReply = [held: string, left: string];

/** Exchanges used quota for new blocks. */
export const EXCHANGE_QUOTA: RedisScript = new RedisScript(`
local base = KEYS[1]
local order = cjson.decode(ARGV[1])
local clock = redis.call("TIME")
local now = tonumber(clock[1]) * 1000 + tonumber(clock[2]) / 1000
local known = {[order.instance] = true}
local isRecovering = redis.call("EXISTS", base .. ":recovering") == 1
local function isAlive(instance)
  if known[instance] == nil then
    local ends = redis.call("ZSCORE", base .. ":instances", instance)
    known[instance] = ends ~= false and tonumber(ends) > now
  end
  return known[instance]
end
local function number(value) return string.format("%.6f", value) end
local replies = {}
for i, limit in ipairs(order.limits) do
  local name = base .. ":rate:" .. limit.kind .. ":" .. limit.scope
  local fields = redis.call("HGETALL", name)
  local stored, run, others = {}, nil, 0
  for j = 1, #fields, 2 do
    local field, value = fields[j], tonumber(fields[j + 1])
    stored[field] = value
    if field == "run" then run = fields[j + 1] end
    if string.sub(field, 1, 2) == "h:" then
      local instance = string.sub(field, 3)
      if not isAlive(instance) then redis.call("HDEL", name, field, "u:" .. instance)
      elseif instance ~= order.instance then others = others + value end
    end
  end
  local mine, used = "h:" .. order.instance, "u:" .. order.instance
  if limit.kind == "slots" then
    local free = limit.limit - others
    -- After a restart, until all gateways have reported what they use, each one has its part.
    if isRecovering then free = math.min(free, math.floor(limit.limit / redis.call("ZCARD", base .. ":instances"))) end
    local held = math.max(limit.used, math.min(limit.target, free))
    if held > 0 then
      redis.call("HSET", name, mine, held)
      redis.call("PEXPIRE", name, 60000)
    else
      redis.call("HDEL", name, mine)
    end
    replies[i] = {number(held), number(limit.limit - others - held)}
  else
    local speed = limit.limit / 60000
    local level = limit.level
    if stored.at then
      level = stored.level + math.max(0, now - stored.at) * speed + limit.limit - stored.limit
      -- The server was restarted, perhaps with older data.
      if run ~= order.run then level = math.min(level, limit.level) end
    end
    local held = (stored[mine] or 0) - (limit.used - (stored[used] or limit.used))
    if held < 0 then
      level = level + held
      held = 0
    end
    level = math.min(level, limit.limit - others - held)
    local change = limit.target - held
    if change > 0 then
      change = held + level + 0.000001 < limit.need and 0 or math.max(0, math.floor(math.min(change, level) + 0.000001))
    end
    held, level = held + change, level - change
    redis.call("HSET", name, "level", number(level), "at", number(math.max(now, stored.at or 0)), "limit",
      limit.limit, mine, number(held), used, number(limit.used), "run", order.run)
    local full = speed > 0 and (limit.limit - level) / speed or 0
    redis.call("PEXPIRE", name, math.floor(math.max(120000, full + 60000)))
    replies[i] = {number(held), number(level)}
  end
end
return replies
`);
