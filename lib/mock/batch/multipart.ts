/**
 * Reads `multipart/form-data` while it arrives, so that an upload of any size fits in memory.
 *
 * Source: RFC 7578, RFC 2046 (section 5.1).
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** One field of a form. */
export interface FormPart {
  name: string;
  /** The name of the file; `undefined` for a field that is not a file. */
  fileName?: string;
  /** The content. Must be read before the next part. */
  content: AsyncIterable<Uint8Array>;
}

/** A body that is no valid form. */
export class MultipartError extends Error {}

/** The boundary in a content type; `undefined` if it is not that of a form. */
export function boundaryOf(contentType: string | null): string | undefined {
  const match = /^multipart\/form-data\s*;.*?\bboundary=(?:"([^"]+)"|([^;\s]+))/i
    .exec(contentType ?? "");
  return match?.[1] ?? match?.[2];
}

const BLANK_LINE = Buffer.from("\r\n\r\n");
/** Maximum bytes of a part's headers. */
const MAX_HEADERS = 16_384;

function parseHeaders(text: string): { name: string; fileName?: string } {
  const disposition = /^content-disposition\s*:\s*form-data\b(.*)$/im.exec(text)?.[1] ?? "";
  const parameter = (name: string) => {
    const match = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]+))`, "i")
      .exec(disposition);
    return (match?.[1] ?? match?.[2])?.replace(/\\(.)|%22/g, (_, char) => char ?? '"');
  };
  const name = parameter("name");
  if (name === undefined) throw new MultipartError("a part of the form has no name");
  return { name, fileName: parameter("filename") };
}

/** Reads the parts of a form in order. */
export async function* readForm(
  body: ReadableStream<Uint8Array>,
  boundary: string,
): AsyncGenerator<FormPart, void, void> {
  const reader = body.getReader();
  // The first delimiter needs no line break before it, all others do.
  let buffer = Buffer.from("\r\n");
  const fill = async () => {
    const { value, done } = await reader.read();
    if (done) throw new MultipartError("the form ends before its last boundary");
    buffer = buffer.length === 0 ? Buffer.from(value) : Buffer.concat([buffer, value]);
  };
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  /** Yields the bytes before the next delimiter, and skips it. */
  const content = async function* (): AsyncGenerator<Uint8Array, void, void> {
    while (true) {
      const end = buffer.indexOf(delimiter);
      // What may be the start of a delimiter stays.
      const length = end >= 0 ? end : buffer.length - delimiter.length + 1;
      if (length > 0) yield buffer.subarray(0, length);
      if (length > 0) buffer = buffer.subarray(length);
      if (end >= 0) {
        buffer = buffer.subarray(delimiter.length);
        return;
      }
      await fill();
    }
  };
  try {
    for await (const _ of content());
    while (true) {
      while (buffer.length < 2) await fill();
      if (buffer.toString("latin1", 0, 2) === "--") return;
      let end = buffer.indexOf(BLANK_LINE);
      while (end < 0) {
        if (buffer.length > MAX_HEADERS) throw new MultipartError("a part has too long headers");
        await fill();
        end = buffer.indexOf(BLANK_LINE);
      }
      const headers = parseHeaders(buffer.toString("utf8", 0, end));
      buffer = buffer.subarray(end + BLANK_LINE.length);
      const rest = content();
      yield { ...headers, content: rest };
      for await (const _ of rest);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** The text of a field that is not a file. */
export async function fieldText(content: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const bytes of content) {
    size += bytes.length;
    if (size > 1 << 20) throw new MultipartError("a field of the form is too long");
    parts.push(Uint8Array.from(bytes));
  }
  return Buffer.concat(parts).toString("utf8");
}
