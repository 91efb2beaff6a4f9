/**
 * The script that shares slots for requests in flight.
 *
 * @module
 */
import { RedisScript } from "../../redis/redis_script.ts";
import { MEMBER_ARGS, MEMBERS } from "./members_script.ts";

/** Seconds after its last report for which the slots of a process are not given to others. */
const SLOT_TTL = 30;

/** Milliseconds for which a process keeps a slot that others wait for, if there are fewer slots than processes. */
const TURN = 1000;

/**
 * Shares slots evenly between the processes that want some; what one of them does not want, others get. With
 * fewer slots than processes, they take turns.
 *
 * Replies with: the processes that may use a part of the limit; the slots that the process may use; whether it wants
 * more.
 *
 * KEYS: the state and the processes of the limit. ARGV, after those of {@link MEMBERS}: maximum slots; slots that it
 * uses or may use; slots wanted.
 */
export const SLOTS_SCRIPT: RedisScript = new RedisScript(`${MEMBERS}
local state, members = KEYS[1], KEYS[2]
if isLate(state) then return {} end
local limit = tonumber(ARGV[${MEMBER_ARGS + 1}])
local inUse, want = tonumber(ARGV[${MEMBER_ARGS + 2}]), tonumber(ARGV[${MEMBER_ARGS + 3}])
local effective, live, all = join(state, members, limit, function(process)
  for _, kind in ipairs({"held:", "want:", "turn:"}) do redis.call("HDEL", state, kind .. process) end
end)
-- The lowest limit of all processes.
limit = effective * all / live
-- Since when it has slots, or waits for the first one.
local function turnOf(process) return tonumber(redis.call("HGET", state, "turn:" .. process) or text(now)) end
local turn = turnOf(id)
local hadSlots = tonumber(redis.call("HGET", state, "held:" .. id) or "0") > 0
if hadSlots ~= (inUse > 0) then turn = now end
-- Processes that wait for a first slot: all, and those that have waited longer. Processes that have had slots longer.
local starving, ahead, senior = 0, 0, 0
local processes = redis.call("ZRANGE", members, 0, -1, "WITHSCORES")
local held, wants, active, taken = {}, {}, 0, 0
for i = 1, #processes, 2 do
  local process, expires = processes[i], tonumber(processes[i + 1])
  if process ~= id then
    local slots = tonumber(redis.call("HGET", state, "held:" .. process) or "0")
    if expires > now then
      held[process] = slots
      wants[process] = tonumber(redis.call("HGET", state, "want:" .. process) or "0")
      if wants[process] > 0 then active = active + 1 end
      if slots == 0 and wants[process] > 0 then
        starving = starving + 1
        if turnOf(process) < turn then ahead = ahead + 1 end
      elseif slots > 0 and turnOf(process) < turn then
        senior = senior + 1
      end
    else
      -- It may be cut off: it then uses its part, and what it had when it was last seen may still be in flight.
      if expires + ${SLOT_TTL * 1000000} < now then slots = 0 end
      taken = taken + math.max(slots, math.floor(limit / all))
    end
  end
end
if want > 0 then active = active + 1 end
local fair = math.max(1, math.floor((limit - taken) / math.max(1, active)))
local others, claimed = 0, 0
for process, slots in pairs(held) do
  others = others + slots
  claimed = claimed + math.max(slots, math.min(wants[process], fair))
end
local target = math.min(want, math.max(fair, limit - taken - claimed))
local free = math.floor(limit - taken - others)
if inUse == 0 then
  free = free - ahead
elseif active > limit - taken and senior < starving and turn + ${TURN * 1000} < now then
  target = 0
end
local granted = math.max(0, math.min(target, free))
-- Data was lost: until all have reported, it is unknown how many slots are in use.
if live < all and tonumber(redis.call("HGET", state, "knownUntil") or "0") > now then
  granted = math.min(granted, inUse)
end
-- What it has to return counts until it reports that it has.
local isHolder = math.max(granted, inUse) > 0
if isHolder ~= (inUse > 0) then turn = now end
redis.call("HSET", state, "held:" .. id, math.max(granted, inUse), "want:" .. id, want)
if isHolder or want > 0 then
  redis.call("HSET", state, "turn:" .. id, text(turn))
else
  redis.call("HDEL", state, "turn:" .. id)
end
local isShort = 0
if granted < want then isShort = 1 end
return {all, granted, isShort}
`);
