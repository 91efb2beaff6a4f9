/**
 * Shortens text of clients and servers that is stored or logged.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/**
 * Returns at most `limit` characters of `text`, as a copy: engines implement a part of a string as a reference to
 * the whole one, which may be a body of 32 MiB.
 */
export function shortText(text: string, limit: number): string {
  const short = text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
  return Buffer.from(short, "utf16le").toString("utf16le");
}
