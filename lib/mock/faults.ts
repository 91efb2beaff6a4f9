/**
 * Answers that break on the way: what clients must survive.
 *
 * @module
 */
import type { MockErrorKind } from "./error_kinds.ts";
import type { Frame } from "./streaming.ts";

/** Ends the waiting of a stall that nobody cuts. */
const LONGEST_STALL = 600_000;

/** Resolves when `signal` fires, or after ten minutes. */
function untilCut(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LONGEST_STALL);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** A body that breaks after `text`: the connection is cut, or stays open and silent. */
function cutAfter(
  text: string,
  kind: MockErrorKind,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
    },
    async pull(controller) {
      if (kind === "stall") await untilCut(signal);
      // Given time, so that the text is on its way before the connection goes.
      else await new Promise((resolve) => setTimeout(resolve, 20));
      controller.error(new Error("cut by the mock"));
    },
  });
}

/** A body of which only the first half comes, in the way that `kind` says. */
export function brokenBody(
  text: string,
  kind: MockErrorKind,
  signal: AbortSignal,
): ReadableStream<Uint8Array> | string {
  const half = text.slice(0, Math.ceil(text.length / 2));
  return kind === "malformed" ? half : cutAfter(half, kind, signal);
}

/** A stream that breaks in its middle in the way that `kind` says. */
export function brokenStream(
  frames: Iterable<Frame>,
  kind: MockErrorKind,
  signal: AbortSignal,
): ReadableStream<Uint8Array> | string {
  const all = [...frames];
  const text = all.slice(0, Math.ceil(all.length / 2)).map((frame) => frame.text).join("");
  return kind === "malformed" ? `${text}data: {"broken":\n\n` : cutAfter(text, kind, signal);
}
