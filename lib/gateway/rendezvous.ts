/**
 * Assigns conversations to endpoints by rendezvous hashing: if an endpoint is added or removed, only the
 * conversations that it gains or had are moved.
 *
 * Source: Thaler and Ravishankar, "Using name-based mappings to increase hit rates" (1998); FNV-1a with the
 * finalizer of MurmurHash3.
 *
 * @module
 */
import { seedOf } from "../runtime/random.ts";

function hashOf(text: string, seed: number): number {
  let hash = seedOf(text, seed);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The one of `items`, at least one, that `session` belongs to. */
export function preferredBy<T>(
  session: string,
  items: readonly T[],
  nameOf: (item: T) => string,
): T {
  const seed = hashOf(session, 0);
  let best = items[0];
  let highest = -1;
  for (const item of items) {
    const score = hashOf(nameOf(item), seed);
    if (score > highest) [best, highest] = [item, score];
  }
  return best;
}
