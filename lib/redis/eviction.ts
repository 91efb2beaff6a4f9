/**
 * Warns about servers that may delete limits, budgets and jobs when their memory is full.
 *
 * @module
 */
import type { RedisConnection } from "./redis_connection.ts";

const warned = new WeakSet<object>();

/** Warns once per connection if its server may delete limits, budgets and jobs. */
export function warnAboutEviction(
  connection: RedisConnection,
  onWarning: ((message: string) => void) | undefined,
): void {
  if (onWarning === undefined || warned.has(connection)) return;
  const warning = evictionWarning(connection);
  if (warning === undefined) return;
  warned.add(connection);
  onWarning(warning);
}

/** A warning if the server deletes keys when its memory is full; `undefined` if it does not, or does not say. */
export function evictionWarning(
  { address, evictionPolicy }: Pick<RedisConnection, "address" | "evictionPolicy">,
): string | undefined {
  if (evictionPolicy === undefined || evictionPolicy === "noeviction") return undefined;
  const isVolatile = evictionPolicy.startsWith("volatile-");
  return `Redis at ${address.shown} has the eviction policy ${evictionPolicy}: when its memory is full, it ` +
    `deletes ${isVolatile ? "keys that expire" : "keys"}, perhaps limits, budgets or jobs. Set ` +
    "maxmemory-policy to noeviction, and give a large cache a server of its own";
}
