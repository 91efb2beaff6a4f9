/**
 * The script that counts the tokens of a minute on the server.
 *
 * @module
 */
import { RedisScript } from "../../redis/redis_script.ts";
import { MEMBERS } from "./members_script.ts";

/** Seconds for which tokens count: a minute, and the second in which they were counted. */
const WINDOW = 61;
/** Milliseconds by which tokens may be taken too late and still count as evenly spread. */
const MAX_LAG = 100;

/**
 * Each process reports how many tokens its requests have used, and how many those in flight may use. It asks for
 * more to hold, and for a share of the even flow of tokens.
 *
 * Replies with: the processes that may use a part of the limit; the tokens to hold beyond those of requests in
 * flight; the tokens of the flow that it may use now; milliseconds to wait if it got none; all tokens that count.
 *
 * KEYS: the state and the processes of the limit. ARGV: id of the process; the number of processes known before it
 * was cut off, or 0; tokens a minute; tokens used so far, and at the last report; tokens of requests in flight;
 * tokens needed beyond those, and to take ahead; tokens of the flow used so far; tokens of the flow granted at the
 * last report; tokens of the flow needed, and to take ahead; microseconds that a reply takes; the number of the
 * report.
 */
export const TOKENS_SCRIPT: RedisScript = new RedisScript(`${MEMBERS}
local state, members = KEYS[1], KEYS[2]
local id, known, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if isLate(state, id, tonumber(ARGV[14])) then return {} end
local used, usedBefore, inFlight = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local need, ahead = tonumber(ARGV[7]), tonumber(ARGV[8])
local flowed, flowBefore = tonumber(ARGV[9]), tonumber(ARGV[10])
local flowNeed, flowAhead, lead = tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
local second = math.floor(now / 1000000)
local function count(tokens)
  if tokens > 0 then redis.call("HINCRBYFLOAT", state, "counted:" .. second, text(tokens)) end
end
local effective, live, all = join(state, members, id, limit, known, function(process)
  -- It may have used what it held when it was last seen.
  count(tonumber(redis.call("HGET", state, "held:" .. process) or "0"))
  for _, kind in ipairs({"held:", "used:", "flow:"}) do redis.call("HDEL", state, kind .. process) end
end)
count(used - tonumber(redis.call("HGET", state, "used:" .. id) or text(usedBefore)))
redis.call("HSET", state, "used:" .. id, text(used))

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

local free = effective - counted - others - inFlight
local extra, wait = 0, 0
if need + ahead <= free then extra = need + ahead
elseif need <= free or (counted + others + inFlight == 0) then extra = need
elseif need > 0 then wait = 250 end

-- The flow: an even number of tokens a second, which no process can save up.
local perToken = 60000000 / effective
local next = tonumber(redis.call("HGET", state, "next") or "0")
if next > now + 600000000 then next = now end
local granted = tonumber(redis.call("HGET", state, "flow:" .. id) or text(flowBefore))
if flowed > granted then
  next = math.max(next, now - ${MAX_LAG * 1000}) + (flowed - granted) * perToken
  granted = flowed
end
local credit = granted - flowed
local wanted = 0
if extra > 0 then wanted = flowNeed + flowAhead end
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
redis.call("HSET", state, "held:" .. id, text(inFlight + extra), "next", text(next),
  "flow:" .. id, text(flowed + credit))
return {all, text(extra), text(credit), wait, text(counted + others + inFlight + extra)}
`);
