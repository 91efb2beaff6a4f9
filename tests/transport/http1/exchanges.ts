/** Sends requests through the library's own transport, and reads the answers in both ways that it does. */
import { setTimeout as sleep } from "node:timers/promises";
import { BodyReader } from "../../../lib/transport/body_reader.ts";
import { defaultFetch } from "../../../lib/transport/default_fetch.ts";
import { type BufferedResponse, Exchange, send } from "../../../lib/transport/http.ts";
import { FlexLLMError } from "../../../lib/errors.ts";

/** What to send, and for how long. */
export interface Sending {
  /** @default "{}", which is sent as a POST */
  body?: string;
  headers?: Record<string, string>;
  /** Seconds without progress. @default 60 */
  timeout?: number;
  signal?: AbortSignal;
}

/** Sends a POST and reads the whole answer at once. */
export function readWhole(url: string, sending: Sending = {}): Promise<BufferedResponse> {
  const { body = "{}", headers = {}, timeout = 60, signal } = sending;
  return send({ url, headers, body }, defaultFetch, { timeout, signal });
}

/** Sends a POST and reads the answer as it arrives, like a stream of tokens. */
export async function readStreamed(url: string, sending: Sending = {}): Promise<BufferedResponse> {
  const { body = "{}", headers = {}, timeout = 60, signal } = sending;
  const exchange = new Exchange(url, signal);
  let reader: BodyReader | undefined;
  try {
    exchange.limit(timeout, "no answer");
    const response = await exchange.open({ url, headers, body }, defaultFetch);
    const opened = reader = new BodyReader(response);
    exchange.onEnd(() => opened.close());
    const decoder = new TextDecoder();
    let text = "";
    await opened.forEach((chunk) => {
      exchange.limit(timeout, "no further data");
      text += decoder.decode(chunk, { stream: true });
      queueMicrotask(() => opened.proceed());
      return false;
    });
    exchange.throwIfEnded();
    return { status: response.status, headers: response.headers, body: text + decoder.decode() };
  } catch (error) {
    throw exchange.error(error);
  } finally {
    reader?.close();
    exchange.close();
  }
}

/** Both ways to read an answer, by name. */
export const READERS = { whole: readWhole, streamed: readStreamed };

/** The error of `work`, which must fail with a `FlexLLMError`. */
export async function failureOf(work: Promise<BufferedResponse>): Promise<FlexLLMError> {
  try {
    const { status, body } = await work;
    throw new Error(`there was no error but ${status} ${body.slice(0, 100)}`);
  } catch (error) {
    if (error instanceof FlexLLMError) return error;
    throw error;
  }
}

/** Waits until `isTrue`. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(2);
}
