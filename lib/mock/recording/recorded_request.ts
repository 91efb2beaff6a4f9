/**
 * Makes the recorded form of a request. Replays compare these.
 *
 * @module
 */
import { parseExact } from "../../json/json.ts";
import { redact } from "../../redact.ts";
import { isSecretField } from "../secrets.ts";
import { encodeBytes, textOf } from "./bytes.ts";
import type { RecordedRequest } from "./exchange.ts";
import { keptRequestHeaders } from "./redaction.ts";

/** Stands for the boundary of a multipart body, which is random. */
const BOUNDARY = "boundary";

/** The path and the query without keys, sorted: the order of query fields means nothing. */
export function comparablePath(url: URL): string {
  const fields = [...url.searchParams].filter(([name]) => !isSecretField(name));
  const query = new URLSearchParams(fields);
  query.sort();
  return fields.length === 0 ? url.pathname : `${url.pathname}?${query}`;
}

function withFixedBoundary(bytes: Uint8Array, contentType: string): [Uint8Array, string] {
  const boundary = /^multipart\/.*\bboundary="?([^";]+)/i.exec(contentType)?.[1];
  if (boundary === undefined) return [bytes, contentType];
  // In Latin-1 every byte is one character, so other bytes stay as they are.
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) {
    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  }
  const fixed = text.replaceAll(boundary, BOUNDARY);
  const result = Uint8Array.from(fixed, (character) => character.charCodeAt(0));
  return [result, contentType.replaceAll(boundary, BOUNDARY)];
}

/** The recorded form of `request`, without `secrets`. */
export function recordedRequest(
  request: Request,
  body: Uint8Array,
  secrets: readonly string[],
): RecordedRequest {
  const [bytes, contentType] = withFixedBoundary(body, request.headers.get("content-type") ?? "");
  const headers = keptRequestHeaders(request.headers);
  if (contentType !== "") headers["content-type"] = contentType;
  const recorded: RecordedRequest = {
    method: request.method,
    path: comparablePath(new URL(request.url)),
    headers,
  };
  if (bytes.length === 0) return recorded;
  const text = textOf(bytes);
  if (text === undefined) return { ...recorded, ...encodeBytes(bytes) };
  const clean = redact(text, ...secrets);
  try {
    return { ...recorded, json: parseExact(clean) };
  } catch {
    return { ...recorded, text: clean };
  }
}
