/**
 * Responses that break midway.
 *
 * @module
 */
import type { MockErrorKind } from "./error_kinds.ts";
import type { Chunk } from "./paced_stream.ts";

/** Milliseconds after which a stalled response ends even if the client never aborts. */
const MAX_STALL = 600_000;

/** Resolves when `signal` aborts, or after ten minutes. */
function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, MAX_STALL);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** A body that breaks after `text`: the connection closes, or stays open and silent. */
function breakAfter(
  text: string,
  kind: MockErrorKind,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
    },
    async pull(controller) {
      if (kind === "stall") await untilAborted(signal);
      // Without a pause, the connection would close before the text is sent.
      else await new Promise((resolve) => setTimeout(resolve, 20));
      controller.error(new Error("connection closed by the mock"));
    },
  });
}

/** The first half of a body, broken as `kind` says. */
export function brokenBody(
  text: string,
  kind: MockErrorKind,
  signal: AbortSignal,
): ReadableStream<Uint8Array> | string {
  const half = text.slice(0, Math.ceil(text.length / 2));
  return kind === "malformed" ? half : breakAfter(half, kind, signal);
}

/** The first half of a stream, broken as `kind` says. */
export function brokenStream(
  chunks: Iterable<Chunk>,
  kind: MockErrorKind,
  signal: AbortSignal,
): ReadableStream<Uint8Array> | string {
  const all = [...chunks];
  const text = all.slice(0, Math.ceil(all.length / 2)).map((chunk) => chunk.text).join("");
  return kind === "malformed" ? `${text}data: {"broken":\n\n` : breakAfter(text, kind, signal);
}
