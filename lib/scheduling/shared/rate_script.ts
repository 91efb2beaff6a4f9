/**
 * The script that grants moments at which requests may be sent.
 *
 * @module
 */
import { RedisScript } from "../../redis/redis_script.ts";
import { MEMBER_ARGS, MEMBERS } from "./members_script.ts";

/** Milliseconds after its moment until which a request may be sent. */
export const VALID_FOR = 25;
/**
 * Milliseconds by which requests can overtake each other on their way to the server that has the limit, together
 * with the error of {@link ServerClock}.
 */
export const TRAVEL = 60;
/** Milliseconds by which a second at that server may be longer or shorter than planned. */
const SPREAD = VALID_FOR + TRAVEL;
/** Milliseconds up to the furthest moment that is granted. */
const FURTHEST = 60_000;
/** Maximum moments in one reply. */
export const MAX_MOMENTS = 1000;

/**
 * Grants moments that satisfy all of the limits at once, evenly spaced by each of them. No second at the server
 * that has the limit gets more requests than allowed (rounded up), since each moment is valid only for a short time.
 *
 * Replies with: the processes that may use a part of the first limit; the server's time in microseconds; the
 * first limit, as it holds for all connected processes; microseconds to wait before more can be granted; microseconds
 * up to the furthest moment that any process is granted while it has others; the moments, in microseconds from the
 * server's time.
 *
 * KEYS: the state and the processes of each limit. ARGV, after those of {@link MEMBERS}: moments wanted; microseconds
 * from now to the first moment that is of use, and to the last one that may be granted; moments to grant even if they
 * are later; the furthest moment of the last reply; each limit in requests per second.
 */
export const RATE_SCRIPT: RedisScript = new RedisScript(`${MEMBERS}
local want, lead = tonumber(ARGV[${MEMBER_ARGS + 1}]), tonumber(ARGV[${MEMBER_ARGS + 2}])
local horizon, minimum = tonumber(ARGV[${MEMBER_ARGS + 3}]), tonumber(ARGV[${MEMBER_ARGS + 4}])
local furthest = math.max(lead + horizon, tonumber(ARGV[${MEMBER_ARGS + 5}]))
local limits = {}
local rate, all, shortest = 0, 1, math.huge
for i = 1, #KEYS, 2 do
  local perSecond = tonumber(ARGV[${MEMBER_ARGS + 5} + (i + 1) / 2])
  local effective, live, processes, isReturning = join(KEYS[i], KEYS[i + 1], perSecond)
  if i == 1 then rate, all = effective, processes end
  local interval = ${(1000 + SPREAD) * 1000} / effective
  if effective >= 1 and processes > live then
    -- The others use their parts by themselves: rounded up, all parts together would exceed the limit.
    interval = ${(1000 + SPREAD) * 1000} / math.floor(effective)
  elseif effective > 1 then
    -- A second of a limit of 1.5 has one or two requests. Two seconds have three.
    local most = math.ceil(effective)
    interval = math.max(${
  (1000 + SPREAD) * 1000
} / most, (1000 + ${SPREAD} / most) * 1000 / effective)
  end
  if interval < shortest then shortest = interval end
  local at = tonumber(redis.call("HGET", KEYS[i], "next") or "0")
  -- Data was lost, and processes still have moments that were granted before: each maybe one beyond the furthest.
  if isReturning then
    local spacing = ${(1000 + SPREAD) * 1000} / perSecond
    at = math.max(at, now + furthest + ${SPREAD * 1000} + processes * spacing)
  end
  -- The clock of the server was set back.
  if at > now + 60000000 + 2 * interval then at = now end
  table.insert(limits, {key = KEYS[i], at = at, interval = interval, processes = processes})
end
furthest = math.max(furthest, tonumber(redis.call("HGET", KEYS[1], "furthest") or "0"))
redis.call("HSET", KEYS[1], "furthest", text(furthest))
local reply = {all, text(now), text(rate), 0, text(furthest)}
local first = now + lead
local granted = 0
while granted < want do
  local at, latest = first, limits[1]
  for _, limit in ipairs(limits) do
    limit.own = math.max(limit.at, first)
    if limit.own > at then at, latest = limit.own, limit end
  end
  -- A process without a moment gets the next one, however far away: otherwise it might never get any.
  if at > now + horizon and (granted >= minimum or at > now + ${FURTHEST * 1000}) then
    reply[4] = math.ceil(at - now - horizon)
    break
  end
  -- One limit must not use up the time of another one while it waits. That does no harm if all processes with the
  -- other limit wait for this one as well; a process that has none would wait forever then.
  local earliest = nil
  for _, limit in ipairs(limits) do
    local isOwn = granted < minimum and limit.processes <= latest.processes
    if at > limit.own + shortest / 2 and not isOwn and (earliest == nil or limit.own < earliest) then
      earliest = limit.own
    end
  end
  if earliest ~= nil then
    reply[4] = math.ceil(at - earliest - shortest / 2)
    break
  end
  granted = granted + 1
  reply[5 + granted] = math.floor(at - now)
  for _, limit in ipairs(limits) do limit.at = math.max(limit.at, at) + limit.interval end
end
if granted > 0 then
  for _, limit in ipairs(limits) do redis.call("HSET", limit.key, "next", text(limit.at)) end
end
return reply
`);
