/**
 * Finds the name that a misspelled one was probably meant to be, for "did you mean".
 *
 * @module
 */
import { closest, distance } from "fastest-levenshtein";

/** The one of `known` that `name` is probably a typo of: at most a third of it differs, rounded up. */
export function similarName(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const guess = closest(name, known);
  return distance(name, guess) <= Math.ceil(name.length / 3) ? guess : undefined;
}
