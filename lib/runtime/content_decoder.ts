/**
 * Decodes compressed bodies: we ask for no compression, but some servers compress anyway.
 *
 * Source: RFC 9110, section 8.4.1. Deno's `Duplex.toWeb` is not used: a stream that is cancelled while it decodes ends
 * the process.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import process from "node:process";
import type { Duplex } from "node:stream";
import { isDeno } from "./globals.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Reader = ReadableStreamDefaultReader<Bytes>;

/** Whether data has the header of zlib: some servers send `deflate` without it. Source: RFC 1950, section 2.2. */
function isZlib([first, second]: Uint8Array): boolean {
  return (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0;
}

/** The decoder of a coding, for data that starts with `start`; `undefined` for an unknown one. */
function decoderOf(coding: string, start: Uint8Array): Duplex | undefined {
  // Not imported: every program that sends requests loads this module.
  const zlib = process.getBuiltinModule("node:zlib");
  switch (coding) {
    case "gzip":
    case "x-gzip":
      return zlib.createGunzip();
    case "deflate":
      return isZlib(start) ? zlib.createInflate() : zlib.createInflateRaw();
    case "br":
      return zlib.createBrotliDecompress();
    case "zstd":
      // Node 22.15 and later.
      return zlib.createZstdDecompress?.();
    default:
      return undefined;
  }
}

/** The chunk that has been read, and those after it. */
async function* chunksFrom(first: Bytes, reader: Reader): AsyncGenerator<Bytes> {
  yield first;
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
}

/** With Deno, the decoder of node:zlib does not notice that data is damaged or cut short. */
function unpackedBrotli(chunks: AsyncIterable<Bytes>): ReadableStream<Bytes> {
  const decoder: GenericTransformStream = new DecompressionStream("brotli" as CompressionFormat);
  return ReadableStream.from(chunks).pipeThrough(decoder);
}

/** The first two bytes, with all that arrived with them; fewer at the end. */
async function startOf(reader: Reader): Promise<Bytes> {
  let start: Bytes = new Uint8Array();
  while (start.length < 2) {
    const { done, value } = await reader.read();
    if (done) break;
    start = start.length === 0 ? value : new Uint8Array(Buffer.concat([start, value]));
  }
  return start;
}

async function* decodedChunks(reader: Reader, codings: readonly string[]): AsyncGenerator<Bytes> {
  const start = await startOf(reader);
  if (start.length === 0) return;
  const chunks = chunksFrom(start, reader);
  if (isDeno && codings.length === 1 && codings[0] === "br") return yield* unpackedBrotli(chunks);
  const decoders = codings.map((coding) => decoderOf(coding, start));
  if (!decoders.every((decoder) => decoder !== undefined)) return yield* chunks;
  const { pipeline, Readable } = process.getBuiltinModule("node:stream");
  const streams = [Readable.from(chunks), ...decoders];
  // Alone, the source would not be a pipeline. The errors of all streams reach the last one.
  if (streams.length > 1) pipeline(streams, () => {});
  yield* streams[streams.length - 1];
}

/** Decodes a body with a `content-encoding`. One that is unknown, or an empty body, is left unchanged. */
export function decodeContent(
  body: ReadableStream<Bytes>,
  encoding: string,
): ReadableStream<Bytes> {
  const codings = encoding.toLowerCase().split(",").map((coding) => coding.trim())
    .filter((coding) => coding !== "identity").reverse();
  const reader = body.getReader();
  const chunks = decodedChunks(reader, codings);
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        // The body need not have ended.
        await reader.cancel(error).catch(() => {});
        throw error;
      }
    },
    async cancel(reason) {
      await reader.cancel(reason);
      await chunks.return(undefined).catch(() => {});
    },
  }, { highWaterMark: 0 });
}
