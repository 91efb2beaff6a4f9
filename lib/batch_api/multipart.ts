/**
 * Encodes a form with one file as `multipart/form-data`, without reading the file.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { StreamedBody } from "./batch_http.ts";

/** A form with one file. */
export interface FileForm {
  /** Text fields, which are sent before the file. */
  fields: Record<string, string>;
  /** The name of the file's field. @default "file" */
  field?: string;
  filename: string;
  /** The file's content type. @default "application/jsonl" */
  type?: string;
  /** Its content. No line of it may begin with `--`, which JSON lines never do. */
  content: StreamedBody;
}

/** Yields `before`, the chunks of `content`, then `after`. */
function surround(
  before: Buffer<ArrayBuffer>,
  content: StreamedBody,
  after: Buffer<ArrayBuffer>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = content.open().getReader();
  let isStarted = false;
  return new ReadableStream({
    async pull(controller) {
      if (!isStarted) {
        isStarted = true;
        return controller.enqueue(before);
      }
      const { done, value } = await reader.read();
      if (!done) return controller.enqueue(value);
      controller.enqueue(after);
      controller.close();
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

/** Encodes a form. Names and values must not contain quotes or line breaks. */
export function encodeForm(
  { fields, field = "file", filename, type = "application/jsonl", content }: FileForm,
): { headers: Record<string, string>; body: StreamedBody } {
  const boundary = "flexllm-form-boundary";
  const texts = Object.entries(fields).map(([name, value]) =>
    `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
  );
  const disposition = `form-data; name="${field}"; filename="${filename}"`;
  const file =
    `--${boundary}\r\ncontent-disposition: ${disposition}\r\ncontent-type: ${type}\r\n\r\n`;
  const before = Buffer.from(texts.join("") + file);
  const after = Buffer.from(`\r\n--${boundary}--\r\n`);
  return {
    headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
    body: {
      size: before.length + content.size + after.length,
      open: () => surround(before, content, after),
    },
  };
}
