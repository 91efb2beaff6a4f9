/**
 * Writing streamed answers, at the pace of a model.
 *
 * @module
 */
import { systemClock } from "../runtime/clock.ts";
import type { MockEvent } from "./protocol.ts";

/** A piece of a stream's body, written at once. */
export interface Frame {
  text: string;
  /** Whether it carries a token, which takes time to write. */
  token?: true;
}

/** Server-sent events. */
export function* sseFrames(events: Iterable<MockEvent>): Generator<Frame> {
  for (const { event, data, token } of events) {
    const name = event === undefined ? "" : `event: ${event}\n`;
    yield { text: `${name}data: ${data}\n\n`, token };
  }
}

/** The elements of one JSON array, Gemini's stream format without `alt=sse`. */
export function* arrayFrames(events: Iterable<MockEvent>): Generator<Frame> {
  let before = "[";
  for (const { data, token } of events) {
    yield { text: `${before}${data}`, token };
    before = "\n,\r\n";
  }
  yield { text: "\n]" };
}

/** How long frames are gathered before they are written, if they take no time. */
const BATCH = 16_384;

/**
 * A body of `frames` that begins after `firstToken` milliseconds and continues at `tokenRate` tokens per
 * second.
 */
export function streamFrames(
  frames: Iterable<Frame>,
  tokenRate: number,
  firstToken: number,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const iterator = frames[Symbol.iterator]();
  const interval = 1000 / tokenRate;
  let due: number | undefined;
  const wait = async (milliseconds: number) => {
    if (milliseconds > 1) await systemClock.sleep(milliseconds);
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (due === undefined) {
        await wait(firstToken);
        due = performance.now();
      }
      let text = "";
      do {
        const { value, done } = iterator.next();
        if (done) {
          if (text !== "") controller.enqueue(encoder.encode(text));
          return controller.close();
        }
        text += value.text;
        if (value.token) due += interval;
      } while (interval === 0 && text.length < BATCH);
      controller.enqueue(encoder.encode(text));
      await wait(due - performance.now());
    },
    cancel() {
      iterator.return?.();
    },
  });
}
