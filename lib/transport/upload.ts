/**
 * Reads a request body while it is sent, within the timeout of its exchange.
 *
 * @module
 */
import { FlexLLMError, InvalidInputError } from "../errors.ts";
import type { Exchange } from "./http.ts";

type Bytes = ReadableStream<Uint8Array<ArrayBuffer>>;

/** A body that can be opened, and its exact size in bytes. */
export interface SizedBody {
  size: number;
  open(): Bytes;
}

/** A body that is being sent. */
export interface Upload {
  /** The bytes, for the request. */
  readonly stream: Bytes;
  /** Closes the source. Not every runtime does that when a request ends early. */
  close(): void;
}

/** The timeout of an upload, for each of its chunks and for the answer. */
export interface UploadTimeout {
  seconds: number;
  hint: string;
}

function unreadable(cause: unknown): FlexLLMError {
  if (cause instanceof FlexLLMError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new InvalidInputError(`cannot read what is to be uploaded: ${reason}`, { cause });
}

/**
 * Opens `body` for sending. The timeout of `exchange` restarts with each chunk, so that only a stalled upload
 * exceeds it. A body that cannot be read, or has another size, ends the exchange.
 */
export function startUpload(
  body: SizedBody,
  exchange: Exchange,
  { seconds, hint }: UploadTimeout,
): Upload {
  const reader = body.open().getReader();
  let sent = 0;
  const fail = (error: FlexLLMError): never => {
    exchange.end(error);
    throw error;
  };
  const checkSize = (isSizeRight: boolean) => {
    if (isSizeRight) return;
    fail(new InvalidInputError("what is to be uploaded changed while it was sent"));
  };
  const stream: Bytes = new ReadableStream({
    async pull(controller) {
      const { done, value } = await reader.read().catch((cause) => fail(unreadable(cause)));
      if (done) {
        checkSize(sent === body.size);
        exchange.limit(seconds, "no answer to the upload", hint);
        controller.close();
        return;
      }
      sent += value.length;
      checkSize(sent <= body.size);
      exchange.limit(seconds, "the upload made no progress", hint);
      controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  return {
    stream,
    close: () => void reader.cancel().catch(() => {}),
  };
}
