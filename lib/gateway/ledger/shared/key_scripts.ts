/**
 * The scripts by which one gateway publishes its virtual keys to the others.
 *
 * The keys, after `gateway:`:
 * - `publisher` names the gateway whose keys all use, for as long as it reports.
 * - `keys` is a hash of the published keys and their version.
 *
 * @module
 */
import { RedisScript } from "../../../redis/redis_script.ts";

/**
 * Claims to be the gateway whose keys all use; returns nothing if it is, otherwise the id and the place of the other
 * database. A gateway that holds the lock of the same file may replace one that was killed.
 */
export const CLAIM_KEYS: RedisScript = new RedisScript(`
local base, ledger, place, instance = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local current = redis.call("GET", base .. ":publisher")
if current then
  local other = cjson.decode(current)
  if other.instance ~= instance and not (other.ledger == ledger and other.place == place) then
    return {other.ledger, other.place}
  end
end
local mine = cjson.encode({ledger = ledger, place = place, instance = instance})
redis.call("SET", base .. ":publisher", mine, "PX", ARGV[4])
return {}
`);

/** Publishes keys; with an empty `ARGV[5]` only if there are none. */
export const PUBLISH_KEYS: RedisScript = new RedisScript(`
local name = KEYS[1] .. ":keys"
if ARGV[5] == "" and redis.call("EXISTS", name) == 1 then return 0 end
redis.call("HSET", name, "owner", ARGV[1], "place", ARGV[2], "version", ARGV[3], "keys", ARGV[4])
return 1
`);

/** Stops publishing keys. They stay in use. */
export const RESIGN: RedisScript = new RedisScript(`
local current = redis.call("GET", KEYS[1] .. ":publisher")
if current and cjson.decode(current).instance == ARGV[1] then redis.call("DEL", KEYS[1] .. ":publisher") end
return 1
`);
