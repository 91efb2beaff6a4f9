/**
 * The scripts by which gateways restore what the server has lost.
 *
 * @module
 */
import { RedisScript } from "../../../redis/redis_script.ts";
import { SUMS } from "./sums_script.ts";

/** Milliseconds for which no budget is granted after the server has lost data: all gateways report first. */
export const RECOVERY_TIME = 3000;

/**
 * After a restart of the server: removes what has ended since its data was saved, as a gateway knows: its own
 * reservations, except those in `open`, and the gateways that are not `alive`. What those have spent is restored by
 * {@link RESTORE}.
 */
export const FORGET_ENDED: RedisScript = new RedisScript(`${SUMS}
local order = cjson.decode(ARGV[1])
local open, lost = base .. ":open:" .. order.instance, base .. ":recovered:" .. order.instance
local held = redis.call("HGETALL", open)
for i = 1, #held, 2 do
  local id, reservation = held[i], cjson.decode(held[i + 1])
  local remaining = order.open[id]
  if remaining ~= tonumber(reservation.amount) then
    add("r", reservation, (remaining or 0) - tonumber(reservation.amount), 0)
    if remaining then
      reservation.amount = text(remaining)
      redis.call("HSET", open, id, cjson.encode(reservation))
    else
      redis.call("HDEL", open, id)
    end
  end
end
local recovered = redis.call("HGETALL", lost)
for i = 1, #recovered, 2 do
  if not order.open[recovered[i]] then
    lostRow(cjson.decode(recovered[i + 1]), -1)
    redis.call("HDEL", lost, recovered[i])
  end
end
local alive = {}
for _, instance in ipairs(order.alive) do alive[instance] = true end
local known = redis.call("HGETALL", base .. ":about")
for i = 1, #known, 2 do
  local instance, about = known[i], cjson.decode(known[i + 1])
  if not alive[instance] and about.run ~= order.run then
    local reserved = redis.call("HVALS", base .. ":open:" .. instance)
    for _, reservation in ipairs(reserved) do
      reservation = cjson.decode(reservation)
      add("r", reservation, -tonumber(reservation.amount), 0)
    end
    redis.call("DEL", base .. ":open:" .. instance)
    if not about.isFile then
      local name = base .. ":rows:" .. about.source
      local rows = redis.call("HGETALL", name)
      for j = 1, #rows, 2 do
        local row, counts = cjson.decode(rows[j]), numbers(rows[j + 1])
        add("s", {day = row[1], key = row[2], team = row[3]}, -counts[8], -counts[1])
        addRow(base .. ":rows:ended", rows[j], counts)
      end
      redis.call("DEL", name)
      redis.call("SREM", base .. ":sources", about.source)
    end
    redis.call("HDEL", base .. ":about", instance)
    redis.call("ZREM", base .. ":instances", instance)
  end
end
publish()
return 1
`);

/** After the server has lost data: restores what ended gateways have spent, as far as a gateway knows. */
export const RESTORE: RedisScript = new RedisScript(`${SUMS}
for scope, sums in pairs(cjson.decode(ARGV[1])) do
  local name = base .. ":balance:" .. scope
  for period, amount in pairs(sums) do
    local missing = amount - tonumber(redis.call("HGET", name, "e:" .. period) or 0)
    if missing > 0 then
      redis.call("HINCRBY", name, "e:" .. period, text(missing))
      redis.call("HINCRBY", name, "s:" .. period, text(missing))
      touched[scope] = true
    end
  end
end
publish()
return 1
`);
