/**
 * Writes the headers of HTTP/1.1 requests.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { runtimeName } from "../../runtime/runtime.ts";
import { FIELD_NAME } from "./response_head.ts";

/** Other characters are for `fetch`, which knows their encoding or rejects them. */
const VALUE = /^[\t\x20-\x7e]*$/;
/** The header that the runtime's `fetch` sends. */
const USER_AGENT = `user-agent: ${runtimeName().replace(" ", "/")}\r\n`;
/** Headers that belong to the connection. */
const OWN: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** The lines of header records that were sent before: requests to a server usually share one record. */
const knownLines = new WeakMap<object, string | null>();

/** The lines of `headers`, with the defaults of `fetch`; `null` if one of them is for `fetch` to send. */
export function linesOf(headers: Readonly<Record<string, string>>): string | null {
  let lines = knownLines.get(headers);
  if (lines === undefined) knownLines.set(headers, lines = headerLines(headers));
  return lines;
}

function headerLines(headers: Readonly<Record<string, string>>): string | null {
  const names = new Set<string>();
  let lines = "";
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    if (!FIELD_NAME.test(name) || !VALUE.test(value) || OWN.has(key) || names.has(key)) return null;
    names.add(key);
    lines += `${key}: ${value.trim()}\r\n`;
  }
  if (!names.has("accept")) lines += "accept: */*\r\n";
  return names.has("user-agent") ? lines : lines + USER_AGENT;
}

/** The `content-length`: 0 for a POST without a body, as `fetch` sends it. */
export function lengthOf(method: string, body: string | null): number | undefined {
  if (body !== null) return Buffer.byteLength(body);
  return method === "POST" || method === "PUT" ? 0 : undefined;
}
