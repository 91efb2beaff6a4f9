/**
 * Rounds the times in logs.
 *
 * @module
 */

/** Rounds seconds to microseconds: further digits of a measured time are noise. */
export function microseconds(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}
