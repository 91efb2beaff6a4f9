/**
 * Tests a model step by step: the connection, the key, an answer, a stream.
 *
 * @module
 */
import type { ChatResult } from "../chat/result.ts";
import type { ChatClient } from "../client/chat_client.ts";
import { AbortedError, AuthenticationError, FlexLLMError } from "../errors.ts";
import { type Fetch, send } from "../transport/http.ts";

/** The steps, in this order. */
export type StepName = "connection" | "authentication" | "answer" | "streaming";

/** The outcome of a step. */
export interface Step {
  name: StepName;
  /** `skipped`: an earlier failure left it undecided. */
  state: "ok" | "failed" | "skipped";
  /** Duration in seconds; absent if nothing was sent for this step alone. */
  seconds?: number;
  /** Seconds to the first token; only for `streaming`. */
  firstToken?: number;
  /** The answer; only for `answer`. */
  result?: ChatResult;
  error?: FlexLLMError;
}

/** The model to test. */
export interface ProbeTarget {
  client: ChatClient;
  /** The URL to connect to; `undefined` for the built-in mock. */
  baseUrl: string | undefined;
  fetch: Fetch;
  /** Timeout per step, in seconds. */
  timeout: number;
}

const PROMPT = [{ role: "user", content: "Reply with the word OK." }] as const;
/** Enough for a short answer, and cheap if the model does not stop. */
const MAX_TOKENS = 256;

type Timed<T> = { seconds: number; value: T } | { seconds: number; error: FlexLLMError };

async function timed<T>(work: () => Promise<T>): Promise<Timed<T>> {
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  try {
    const value = await work();
    return { seconds: seconds(), value };
  } catch (error) {
    if (!(error instanceof FlexLLMError) || error instanceof AbortedError) throw error;
    return { seconds: seconds(), error };
  }
}

async function firstToken(client: ChatClient): Promise<number | undefined> {
  const start = performance.now();
  let first: number | undefined;
  const stream = client.chatCompletionsStream(PROMPT, { maxTokens: MAX_TOKENS });
  for await (const event of stream.events) {
    if (event.type === "text" || event.type === "thinking") {
      first ??= (performance.now() - start) / 1000;
    }
  }
  return first;
}

/**
 * Tests `target` and yields each step when it is done. A failed step has an error; steps that depend on
 * it are skipped.
 *
 * @throws {AbortedError} if the client is closed during the test
 */
export async function* probeModel(target: ProbeTarget): AsyncGenerator<Step, void, void> {
  const { client, baseUrl, fetch, timeout } = target;
  if (baseUrl !== undefined) {
    // Any response proves that the server is reachable, so no key is sent.
    const reached = await timed(() => send({ url: baseUrl, headers: {} }, fetch, { timeout }));
    const failed = "error" in reached;
    yield {
      name: "connection",
      state: failed ? "failed" : "ok",
      seconds: reached.seconds,
      error: failed ? reached.error : undefined,
    };
    if (failed) {
      for (const name of ["authentication", "answer", "streaming"] as const) {
        yield { name, state: "skipped" };
      }
      return;
    }
  }
  const answered = await timed(() => client.chatCompletions(PROMPT, { maxTokens: MAX_TOKENS }));
  const error = "error" in answered ? answered.error : undefined;
  if (error instanceof AuthenticationError) {
    yield { name: "authentication", state: "failed", seconds: answered.seconds, error };
    yield { name: "answer", state: "skipped" };
    yield { name: "streaming", state: "skipped" };
    return;
  }
  // Only an answer proves the key: many servers list models and reject unknown ones without checking it.
  yield { name: "authentication", state: error === undefined ? "ok" : "skipped" };
  if ("error" in answered) {
    yield { name: "answer", state: "failed", seconds: answered.seconds, error };
    yield { name: "streaming", state: "skipped" };
    return;
  }
  yield { name: "answer", state: "ok", seconds: answered.seconds, result: answered.value };
  const streamed = await timed(() => firstToken(client));
  yield "error" in streamed
    ? { name: "streaming", state: "failed", seconds: streamed.seconds, error: streamed.error }
    : { name: "streaming", state: "ok", seconds: streamed.seconds, firstToken: streamed.value };
}
