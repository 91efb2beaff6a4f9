/**
 * Sends requests on to the server that is recorded.
 *
 * @module
 */
import { Duplex } from "node:stream";
import * as zlib from "node:zlib";

/** Sends a request; the runtime's `fetch` by default. */
export type UpstreamFetch = (url: string, init: RequestInit) => Promise<Response>;

/** Headers that concern one connection, and those that `fetch` sets. Source: RFC 9110, section 7.6.1. */
const CONNECTION_HEADER =
  /^(host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|content-length|accept-encoding|expect)$/i;

/** What the `fetch` of every runtime can decompress. */
const ENCODINGS = ["gzip", "br"];

/**
 * The URL to send a request to. The part that the end of the base path and the start of the request's path
 * have in common is not repeated: `/v1/models` at `https://host/api/v1` is `https://host/api/v1/models`.
 */
export function upstreamUrl(base: URL, requested: URL): string {
  const before = base.pathname.split("/").filter((part) => part !== "");
  const after = requested.pathname.replace(/^\/+/, "").split("/");
  let shared = Math.min(before.length, after.length);
  while (shared > 0 && !before.slice(-shared).every((part, i) => part === after[i])) shared--;
  const path = [...before, ...after.slice(shared)].join("/");
  return `${base.origin}/${path}${requested.search}`;
}

/** The headers to send on: all but those of the connection. */
export function upstreamHeaders(headers: Headers): Headers {
  const sent = new Headers();
  for (const [name, value] of headers) {
    if (!CONNECTION_HEADER.test(name)) sent.append(name, value);
  }
  const accepted = headers.get("accept-encoding") ?? "";
  const known = ENCODINGS.filter((encoding) => accepted.includes(encoding));
  sent.set("accept-encoding", known.join(", ") || "identity");
  return sent;
}

/** The first bytes of compressed data, by `Content-Encoding`. Brotli has none, but every `fetch` decodes it. */
const FORMATS = [
  { encoding: /gzip/, magic: [0x1f, 0x8b], decoder: () => zlib.createGunzip() },
  // Node has it from version 22.15 on.
  { encoding: /zstd/, magic: [0x28, 0xb5, 0x2f, 0xfd], decoder: () => zlib.createZstdDecompress() },
  { encoding: /deflate/, magic: [0x78], decoder: () => zlib.createInflate() },
];

/**
 * The body of a response, decompressed. Runtimes decompress different encodings and keep the header, so the
 * first bytes decide whether that is done.
 */
export async function decodedBody(response: Response): Promise<ReadableStream<Uint8Array> | null> {
  const { body, headers } = response;
  const encoding = headers.get("content-encoding") ?? "";
  const formats = FORMATS.filter((format) => format.encoding.test(encoding));
  if (body === null || formats.length === 0) return body;
  const reader = body.getReader();
  const first = await reader.read();
  const whole = new ReadableStream<Uint8Array>({
    start(controller) {
      if (first.value !== undefined) controller.enqueue(first.value);
      if (first.done) controller.close();
    },
    async pull(controller) {
      const { value, done } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  const bytes = first.value;
  const format = formats.find(({ magic }) => magic.every((byte, i) => bytes?.[i] === byte));
  if (format === undefined) return whole;
  const transform = Duplex.toWeb(format.decoder()) as unknown as TransformStream<
    Uint8Array,
    Uint8Array
  >;
  return whole.pipeThrough(transform);
}

/** Why a request could not be sent, from the innermost error. */
export function reasonOf(error: unknown): string {
  let reason = String(error);
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    if (inner.message !== "") reason = inner.message;
  }
  return reason;
}
