/**
 * The script that counts the tokens of a minute on the server.
 *
 * @module
 */
import { RedisScript } from "../../redis/redis_script.ts";
import { MEMBER_ARGS, MEMBERS } from "./members_script.ts";

/** Seconds for which tokens count: a minute, and the second in which they were counted. */
const WINDOW = 61;
/** Milliseconds by which tokens may be taken too late and still count as evenly spread. */
const MAX_LAG = 100;

/**
 * Each process reports how many tokens its requests have used, and how many those in flight may use. It asks for
 * more to hold, and for a share of the even flow of tokens.
 *
 * Replies with: the processes that may use a part of the limit; the tokens to hold beyond those of requests in
 * flight; the tokens of the flow that it may use now; milliseconds to wait if it got none; the tokens that were used
 * within the minute; all tokens that count.
 *
 * KEYS: the state and the processes of the limit. ARGV, after those of {@link MEMBERS}: tokens a minute; tokens used so
 * far, and at the last report; tokens of requests in flight; tokens held beyond those, of which the others get none
 * before the next report; tokens needed beyond those of requests in flight, and to take ahead; tokens of the flow used
 * so far; tokens of the flow granted at the last report; tokens of the flow needed, and to take ahead; microseconds
 * that a reply takes; tokens that were used within the minute, as the process knows it.
 */
export const TOKENS_SCRIPT: RedisScript = new RedisScript(`${MEMBERS}
local state, members = KEYS[1], KEYS[2]
if isLate(state) then return {} end
local function argument(index) return tonumber(ARGV[${MEMBER_ARGS} + index]) end
local limit, used, usedBefore, inFlight, held = argument(1), argument(2), argument(3), argument(4), argument(5)
local need, ahead, flowed, flowBefore = argument(6), argument(7), argument(8), argument(9)
local flowNeed, flowAhead, lead, known = argument(10), argument(11), argument(12), argument(13)
local second = math.floor(now / 1000000)
local function count(tokens)
  if tokens > 0 then redis.call("HINCRBYFLOAT", state, "counted:" .. second, text(tokens)) end
end
local effective, _, all, isReturning = join(state, members, limit, function(process)
  -- It may have used what it held when it was last seen.
  count(tonumber(redis.call("HGET", state, "held:" .. process) or "0"))
  for _, kind in ipairs({"held:", "used:", "flow:"}) do redis.call("HDEL", state, kind .. process) end
end)
local counted, others = 0, 0
local fields = redis.call("HGETALL", state)
for i = 1, #fields, 2 do
  local kind, name = string.match(fields[i], "^(%a+):(.*)$")
  if kind == "counted" then
    if tonumber(name) + ${WINDOW} < second then redis.call("HDEL", state, fields[i])
    else counted = counted + tonumber(fields[i + 1]) end
  elseif kind == "held" and name ~= id then
    others = others + tonumber(fields[i + 1])
  end
end
local function stored(kind, before)
  return not isReturning and tonumber(redis.call("HGET", state, kind .. id) or "") or before
end
if isReturning then
  -- Data was lost. What was counted then still counts, once, also that of processes that are gone.
  local floor = counted
  if redis.call("HGET", state, "floorRun") == run then floor = tonumber(redis.call("HGET", state, "floor")) end
  if known > floor then
    count(known - floor)
    counted, floor = counted + known - floor, known
  end
  redis.call("HSET", state, "floorRun", run, "floor", text(floor))
end
local more = used - stored("used:", usedBefore)
count(more)
counted = counted + math.max(0, more)
redis.call("HSET", state, "used:" .. id, text(used))

local free = effective - counted - others - inFlight
local extra, wait = 0, 0
if need + ahead <= free then extra = need + ahead
elseif need <= free or (counted + others + inFlight == 0) then extra = need
elseif need > 0 then wait = 250 end

-- The flow: an even number of tokens a second, which no process can save up.
local perToken = 60000000 / effective
local next = tonumber(redis.call("HGET", state, "next") or "0")
if next > now + 600000000 then next = now end
local granted = stored("flow:", flowBefore)
if flowed > granted then
  next = math.max(next, now - ${MAX_LAG * 1000}) + (flowed - granted) * perToken
  granted = flowed
end
local credit = granted - flowed
local wanted = flowNeed + flowAhead
-- What it has of the flow, it may use before the reply.
if extra == 0 then wanted = math.min(wanted, credit) end
if credit > wanted then
  next = next - (credit - wanted) * perToken
  credit = wanted
elseif credit < wanted then
  local from = math.max(next, now - ${MAX_LAG * 1000})
  local till = now + lead + 100000
  if from <= till then
    local add = math.min(wanted - credit, math.max(flowNeed - credit, (till - from) / perToken))
    if add > 0 then
      next = from + add * perToken
      credit = credit + add
    end
  elseif credit < flowNeed then
    wait = math.max(wait, math.ceil((from - till) / 1000))
    -- What cannot be sent yet is left to others.
    extra = 0
  end
end
redis.call("HSET", state, "held:" .. id, text(inFlight + math.max(extra, held)), "next", text(next),
  "flow:" .. id, text(flowed + credit))
return {all, text(extra), text(credit), wait, text(counted), text(counted + others + inFlight + extra)}
`);
