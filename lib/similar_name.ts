/**
 * Finds the name that a misspelled one was probably meant to be, for "did you mean".
 *
 * @module
 */
import { closest, distance } from "fastest-levenshtein";

/** Longer names are no typos, and comparing them takes long. */
const MAX_LENGTH = 200;

/** Maximum names to compare with: an answer must not wait for a guess. */
const MAX_COMPARED = 5000;

/** The one of `known` that `name` is probably a typo of: at most a third of it differs, rounded up. */
export function similarName(name: string, known: readonly string[]): string | undefined {
  const { length } = name;
  if (length > MAX_LENGTH) return undefined;
  const tolerance = Math.ceil(length / 3);
  const candidates: string[] = [];
  for (const candidate of known) {
    if (Math.abs(candidate.length - length) > tolerance) continue;
    if (candidates.push(candidate) === MAX_COMPARED) break;
  }
  if (candidates.length === 0) return undefined;
  const guess = closest(name, candidates);
  return distance(name, guess) <= tolerance ? guess : undefined;
}
