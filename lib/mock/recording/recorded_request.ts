/**
 * Makes the recorded form of a request. Replays compare these.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { parseExact } from "../../json/json.ts";
import { redact } from "../../redact.ts";
import { encodeBytes, textOf } from "./bytes.ts";
import type { RecordedRequest } from "./exchange.ts";
import { keptRequestHeaders } from "./redaction.ts";
import { publicFields, withoutFormKeys, withoutKeys } from "./secret_text.ts";

/** Stands for the boundary of a multipart body, which is random. */
const BOUNDARY = "boundary";

/** The path and the query without keys, sorted: the order of query fields means nothing. */
export function comparablePath(url: URL, secrets: readonly string[] = []): string {
  const path = withoutKeys(redact(url.pathname, ...secrets));
  const query = publicFields(url.searchParams);
  query.sort();
  return query.size === 0 ? path : `${path}?${redact(query.toString(), ...secrets)}`;
}

/** A multipart body with a fixed boundary and without the values of secret fields. */
function fixedMultipart(bytes: Uint8Array, boundary: string, secrets: readonly string[]) {
  // In Latin-1 every byte is one character, so other bytes stay as they are.
  const text = Buffer.from(bytes).toString("latin1").replaceAll(boundary, BOUNDARY);
  return new Uint8Array(Buffer.from(redact(withoutFormKeys(text), ...secrets), "latin1"));
}

/** The recorded form of `request`, without `secrets`. */
export function recordedRequest(
  request: Request,
  body: Uint8Array,
  secrets: readonly string[],
): RecordedRequest {
  const headers = keptRequestHeaders(request.headers, secrets);
  const recorded: RecordedRequest = {
    method: request.method,
    path: comparablePath(new URL(request.url), secrets),
    headers,
  };
  if (body.length === 0) return recorded;
  const contentType = request.headers.get("content-type") ?? "";
  const boundary = /^multipart\/.*\bboundary="?([^";]+)/i.exec(contentType)?.[1];
  let bytes = body;
  if (boundary !== undefined) {
    bytes = fixedMultipart(body, boundary, secrets);
    headers["content-type"] = contentType.replaceAll(boundary, BOUNDARY);
  }
  const text = textOf(bytes);
  if (text === undefined) {
    const clean = redact(Buffer.from(bytes).toString("latin1"), ...secrets);
    return { ...recorded, ...encodeBytes(new Uint8Array(Buffer.from(clean, "latin1"))) };
  }
  if (/^application\/x-www-form-urlencoded/i.test(contentType)) {
    const form = publicFields(new URLSearchParams(text)).toString();
    return { ...recorded, text: redact(form, ...secrets) };
  }
  const clean = withoutKeys(redact(text, ...secrets));
  try {
    return { ...recorded, json: parseExact(clean) };
  } catch {
    return { ...recorded, text: clean };
  }
}
