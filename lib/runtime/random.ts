/**
 * Seeded random numbers.
 *
 * @module
 */
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** A generator of numbers in [0, 1); the same seed produces the same sequence. */
export function seededRandom(seed: number): () => number {
  const generator = xoroshiro128plus(seed);
  return () => uniformFloat64(generator);
}

/** A seed derived from `text` and `seed`: their FNV-1a hash, 32 bits. */
export function seedOf(text: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}

/** A random number between `min` and `max`. */
export function between(random: () => number, [min, max]: readonly [number, number]): number {
  return min + random() * (max - min);
}
