/**
 * Writes streamed answers at the pace of a model.
 *
 * @module
 */
import type { EventFraming } from "../protocols/event_framing.ts";
import type { ServerEvent, ServerResponse, StreamEncoder } from "../protocols/serve.ts";
import { systemClock } from "../runtime/clock.ts";
import { answerEvents } from "./answer_events.ts";

/** Text that is written at once. */
export interface Chunk {
  text: string;
  /** Whether it contains a token, which takes time to generate. */
  isToken: boolean;
}

/** The body of a streamed answer, chunk by chunk. */
export function* streamChunks(
  { usage, choices }: ServerResponse,
  encoder: StreamEncoder,
  framing: EventFraming,
): Generator<Chunk> {
  let isFirst = true;
  const write = (events: readonly ServerEvent[]) => {
    let text = "";
    for (const event of events) {
      text += framing.frame(event, isFirst);
      isFirst = false;
    }
    return text;
  };
  yield { text: write(encoder.push([{ type: "usage", usage: usage! }])), isToken: false };
  for (const [index, choice] of choices.entries()) {
    for (const events of answerEvents(choice)) {
      yield { text: write(encoder.push(events, index)), isToken: true };
    }
    const finish = { type: "finish", finishReason: choice.finishReason } as const;
    yield { text: write(encoder.push([finish], index)), isToken: false };
  }
  yield { text: write(encoder.end(choices[0].stopSequence)) + framing.end, isToken: false };
}

/** Characters that are collected before a write if tokens take no time. */
const BATCH = 16_384;

/**
 * A body of `chunks`.
 *
 * @param tokenRate tokens per second
 * @param firstToken milliseconds until the first chunk
 */
export function pacedStream(
  chunks: Iterable<Chunk>,
  tokenRate: number,
  firstToken: number,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const iterator = chunks[Symbol.iterator]();
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
        if (value.isToken) due += interval;
      } while (text === "" || interval === 0 && text.length < BATCH);
      controller.enqueue(encoder.encode(text));
      await wait(due - performance.now());
    },
    cancel() {
      iterator.return?.();
    },
  });
}
