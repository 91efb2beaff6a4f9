/**
 * Reads the body of a request with a limit on its size, also where it is compressed.
 *
 * @module
 */
import { Buffer, isUtf8 } from "node:buffer";
import type { BrotliDecompress, Gunzip, Inflate } from "node:zlib";
import { deadlinesOf } from "../../transport/deadlines.ts";
import { clientLeft } from "../end_reasons.ts";
import { GatewayError } from "../gateway_error.ts";

const BYTE_ORDER_MARK = "\ufeff";

type Decompressor = Gunzip | Inflate | BrotliDecompress;
type Bytes = Uint8Array<ArrayBufferLike>;

function tooLarge(maxBytes: number, isCompressed: boolean): GatewayError {
  const what = isCompressed ? "the decompressed request body" : "the request body";
  return new GatewayError(413, `${what} is larger than ${maxBytes} bytes`, {
    reason: "request_too_large",
    hint: "Send less, or ask the operator of the gateway to raise max_body.",
  });
}

function unsupported(encoding: string): GatewayError {
  return new GatewayError(415, `the content-encoding "${encoding}" is not supported`, {
    reason: "unsupported_encoding",
    hint: "Use gzip, deflate, br, zstd, or none.",
  });
}

/** The encodings of a body, in the order in which they were applied. */
function encodingsOf(header: string | null): string[] {
  if (header === null) return [];
  return header.toLowerCase().split(",").map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity");
}

/** Loaded on demand: few clients compress. */
async function decompressorOf(encoding: string, firstByte: number): Promise<Decompressor> {
  const zlib = await import("node:zlib");
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return zlib.createGunzip();
    case "deflate":
      // HTTP's deflate is zlib's format, but some clients send it without the header.
      return (firstByte & 0x0f) === 8 ? zlib.createInflate() : zlib.createInflateRaw();
    case "br":
      return zlib.createBrotliDecompress();
    case "zstd":
      // Node has it from version 22.15 on.
      if (typeof zlib.createZstdDecompress !== "function") throw unsupported(encoding);
      return zlib.createZstdDecompress();
    default:
      throw unsupported(encoding);
  }
}

/** Decompresses `bytes`, and stops as soon as the result exceeds the limit. */
async function decompress(bytes: Bytes, encoding: string, maxBytes: number): Promise<Bytes> {
  const stream = await decompressorOf(encoding, bytes[0] ?? 0);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    stream.end(bytes);
    for await (const chunk of stream) {
      length += chunk.length;
      if (length > maxBytes) throw tooLarge(maxBytes, true);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    throw new GatewayError(400, `the request body is not valid ${encoding}`, {
      reason: "invalid_encoding",
      cause: error,
    });
  } finally {
    stream.destroy();
  }
  return Buffer.concat(chunks, length);
}

/** Reads a stream to its end; stops reading once it has more than `maxBytes`. */
async function gather(body: ReadableStream<Bytes>, maxBytes: number): Promise<Bytes> {
  const reader = body.getReader();
  const chunks: Bytes[] = [];
  let length = 0;
  while (true) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > maxBytes) {
      reader.cancel().catch(() => {});
      throw tooLarge(maxBytes, false);
    }
    chunks.push(value);
  }
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, length);
}

/** Faster than a `TextDecoder`. */
function decode(bytes: Bytes): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isUtf8(buffer)) {
    throw new GatewayError(400, "the request body is not valid UTF-8", {
      reason: "invalid_request",
    });
  }
  const text = buffer.toString();
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

async function readBytes(request: Request, maxBytes: number): Promise<Bytes> {
  const header = request.headers.get("content-length");
  const length = header === null ? undefined : Number(header);
  if (length !== undefined && length > maxBytes) {
    request.body?.cancel().catch(() => {});
    throw tooLarge(maxBytes, false);
  }
  // HTTP holds the body to this length. Without its stream, which `request.body` would make, it arrives faster.
  if (length !== undefined && length >= 0 && !request.headers.has("transfer-encoding")) {
    return new Uint8Array(await request.arrayBuffer());
  }
  return request.body === null ? new Uint8Array() : await gather(request.body, maxBytes);
}

/** Reads a body. One that breaks off is the client's doing, also where the runtime only notices it here. */
async function readUnbroken(request: Request, maxBytes: number): Promise<Bytes> {
  const wasRead = request.bodyUsed;
  try {
    return await readBytes(request, maxBytes);
  } catch (error) {
    throw error instanceof GatewayError || wasRead ? error : clientLeft(error);
  }
}

/** Settles like `reading`, or rejects after `seconds`: a client that sends nothing must not hold a connection. */
function within<T>(reading: Promise<T>, seconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const deadline = deadlinesOf(seconds).add({
      expire() {
        const message = `the request body did not arrive within ${seconds} s`;
        reject(new GatewayError(408, message, { reason: "request_timeout" }));
      },
    });
    reading.then((value) => {
      deadline.remove();
      resolve(value);
    }, (error) => {
      deadline.remove();
      reject(error);
    });
  });
}

/** Seconds for a whole body: enough for the largest one over a slow line. */
const TIMEOUT = 300;

/**
 * Reads the text of a request's body.
 *
 * @param timeout seconds
 * @throws {GatewayError} 413 above `maxBytes`, 415 for an unknown encoding, 400 if it is not UTF-8, 408 if it
 *   does not arrive
 * @throws {AbortedError} if it breaks off
 */
export async function readBody(
  request: Request,
  maxBytes: number,
  timeout = TIMEOUT,
): Promise<string> {
  const encodings = encodingsOf(request.headers.get("content-encoding"));
  // Each layer multiplies the work; no client uses more than one.
  if (encodings.length > 1) throw unsupported(encodings.join(", "));
  let bytes = await within(readUnbroken(request, maxBytes), timeout);
  // A caller of the app's `fetch` may declare less than it sends.
  if (bytes.length > maxBytes) throw tooLarge(maxBytes, false);
  if (encodings.length === 1) bytes = await decompress(bytes, encodings[0], maxBytes);
  return decode(bytes);
}
