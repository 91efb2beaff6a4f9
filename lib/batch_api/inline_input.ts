/**
 * Composes request bodies that contain the rows of a job, without loading them all into memory.
 *
 * @module
 */
import type { JobInput } from "./batch_api.ts";
import type { StreamedBody } from "./batch_http.ts";
import { InternalError } from "../errors.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const NEWLINE = 10;
const COMMA = 44;

/** Rewrites a row while it is being sent. */
export interface RowRewrite {
  /** The row in another form. */
  rewrite(row: Bytes): Bytes;
  /** How many bytes each row grows by. */
  growth: number;
}

/** Yields the rows of an input one by one, without their newlines. */
export async function* readRows(input: JobInput): AsyncGenerator<Bytes> {
  let rest: Bytes[] = [];
  for await (const chunk of input.open()) {
    let start = 0;
    for (
      let end = chunk.indexOf(NEWLINE);
      end >= 0;
      end = chunk.indexOf(NEWLINE, start)
    ) {
      const tail = chunk.subarray(start, end);
      yield rest.length === 0 ? tail : concatBytes([...rest, tail]);
      rest = [];
      start = end + 1;
    }
    // Readers may reuse their buffers.
    if (start < chunk.length) rest.push(chunk.slice(start));
  }
  if (rest.length > 0) yield concatBytes(rest);
}

/** Joins arrays of bytes. */
export function concatBytes(parts: readonly Bytes[]): Bytes {
  const joined = new Uint8Array(parts.reduce((size, { length }) => size + length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** A body of known bytes. */
export function bytesBody(...parts: readonly Bytes[]): StreamedBody {
  return {
    size: parts.reduce((size, { length }) => size + length, 0),
    open: () =>
      new ReadableStream<Bytes>({
        start(controller) {
          for (const part of parts) if (part.length > 0) controller.enqueue(part);
          controller.close();
        },
      }),
  };
}

/** Yields `prefix`, the chunks of the input with commas between the rows, and `suffix`. */
async function* joinedRows(
  input: JobInput,
  prefix: Bytes,
  suffix: Bytes,
  rewrite: RowRewrite["rewrite"] | undefined,
): AsyncGenerator<Bytes> {
  yield prefix;
  if (rewrite === undefined) {
    let left = input.bytes;
    for await (const chunk of input.open()) {
      left -= chunk.length;
      if (left < 0) break;
      const joined = chunk.slice();
      // A newline only occurs at the end of a row: JSON text escapes those in strings.
      for (let at = joined.indexOf(NEWLINE); at >= 0; at = joined.indexOf(NEWLINE, at + 1)) {
        joined[at] = COMMA;
      }
      yield left === 0 ? joined.subarray(0, -1) : joined;
    }
    if (left !== 0) throw new InternalError("the stored rows of a job have changed in size");
  } else {
    let isFirst = true;
    for await (const row of readRows(input)) {
      if (!isFirst) yield new Uint8Array([COMMA]);
      isFirst = false;
      yield rewrite(row);
    }
  }
  yield suffix;
}

/** A JSON body with the rows of `input` as the elements of a list, between `prefix` and `suffix`. */
export function inlineBody(
  input: JobInput,
  prefix: string,
  suffix: string,
  rows?: RowRewrite,
): StreamedBody {
  const encoder = new TextEncoder();
  const [before, after] = [encoder.encode(prefix), encoder.encode(suffix)];
  return {
    // Each newline becomes a comma, but the last one.
    size: before.length + input.bytes - 1 + (rows?.growth ?? 0) * input.rows + after.length,
    open: () => streamOf(joinedRows(input, before, after, rows?.rewrite)),
  };
}

/** A stream of what a generator yields. */
export function streamOf(chunks: AsyncGenerator<Bytes>): ReadableStream<Bytes> {
  return new ReadableStream<Bytes>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else if (value.length > 0) controller.enqueue(value);
      // An empty chunk would not trigger another pull.
      else await this.pull?.(controller);
    },
    async cancel() {
      await chunks.return(undefined);
    },
  }, { highWaterMark: 0 });
}
