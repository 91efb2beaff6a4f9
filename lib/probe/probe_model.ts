/**
 * Finds out, step by step, whether a model can be asked: the connection, the key, an answer, a stream.
 *
 * @module
 */
import type { ChatResult } from "../chat/result.ts";
import type { ChatClient } from "../client/chat_client.ts";
import { AbortedError, AuthenticationError, FlexLLMError } from "../errors.ts";
import { type Fetch, send } from "../transport/http.ts";

/** What is tried, in this order. */
export type StepName = "connection" | "authentication" | "answer" | "streaming";

/** The outcome of a step. */
export interface Step {
  name: StepName;
  /** `skipped`: an earlier failure left it undecided. */
  state: "ok" | "failed" | "skipped";
  /** How long it took, in seconds; absent where nothing was sent for it alone. */
  seconds?: number;
  /** Seconds to the first token, of `streaming`. */
  firstToken?: number;
  /** What was answered, of `answer`. */
  result?: ChatResult;
  error?: FlexLLMError;
}

/** What to probe. */
export interface ProbeTarget {
  client: ChatClient;
  /** Where to connect; `undefined` for what is built in. */
  baseUrl: string | undefined;
  fetch: Fetch;
  /** Seconds for each step. */
  timeout: number;
}

const QUESTION = [{ role: "user", content: "Reply with the word OK." }] as const;
/** Enough for a short answer, and little to pay for a model that goes on and on. */
const MAX_TOKENS = 256;

type Outcome<T> = { seconds: number; value: T } | { seconds: number; error: FlexLLMError };

async function timed<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  try {
    const value = await work();
    return { seconds: seconds(), value };
  } catch (error) {
    if (!(error instanceof FlexLLMError) || error instanceof AbortedError) throw error;
    return { seconds: seconds(), error };
  }
}

async function firstToken(client: ChatClient): Promise<number | undefined> {
  const begun = performance.now();
  let first: number | undefined;
  const stream = client.chatCompletionsStream(QUESTION, { maxTokens: MAX_TOKENS });
  for await (const event of stream.events) {
    if (event.type === "text" || event.type === "thinking") {
      first ??= (performance.now() - begun) / 1000;
    }
  }
  return first;
}

/**
 * Probes `target`; each step is given when it is known. A step that fails is one with an error, and
 * those that it makes pointless are skipped.
 *
 * @throws {AbortedError} when the client is closed meanwhile
 */
export async function* probeModel(target: ProbeTarget): AsyncGenerator<Step, void, void> {
  const { client, baseUrl, fetch, timeout } = target;
  if (baseUrl !== undefined) {
    // Whatever a server answers, it can be reached; the key is not for this.
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
  const answered = await timed(() => client.chatCompletions(QUESTION, { maxTokens: MAX_TOKENS }));
  const error = "error" in answered ? answered.error : undefined;
  if (error instanceof AuthenticationError) {
    yield { name: "authentication", state: "failed", seconds: answered.seconds, error };
    yield { name: "answer", state: "skipped" };
    yield { name: "streaming", state: "skipped" };
    return;
  }
  // Only an answer proves the key: many servers list their models, and refuse wrong names, without one.
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
