/**
 * Reads the replies of Redis for streams.
 *
 * @module
 */

/** The entries in the reply of `XREADGROUP` or `XREAD` for one stream; its form depends on the protocol. */
export function streamEntries(reply: unknown): [id: string, fields: string[]][] {
  const [first, second] = (reply ?? []) as [unknown, unknown];
  const entries = Array.isArray(first) ? first[1] : second;
  return (entries ?? []) as [string, string[]][];
}
