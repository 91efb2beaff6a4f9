/**
 * Reads hashes from replies.
 *
 * @module
 */

/** The fields and values of a hash. `HGETALL` replies with a list of both, or with an object in a pipeline. */
export function entriesOf(hash: unknown): [field: string, value: string][] {
  if (!Array.isArray(hash)) return Object.entries(hash as Record<string, string>);
  return Array.from({ length: hash.length / 2 }, (_, i) => [hash[2 * i], hash[2 * i + 1]]);
}
