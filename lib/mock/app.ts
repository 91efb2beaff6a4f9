/**
 * A mock LLM server as a Hono app: nothing is asked, nothing is paid, and answers are the same for
 * the same question.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { systemClock } from "../clock.ts";
import {
  answerChat,
  completionBody,
  completionChunks,
  errorBody,
  type MockAnswer,
  modelsBody,
  readChatRequest,
} from "./openai_chat.ts";
import type { MockSettings } from "./options.ts";
import { between, seededRandom } from "./random.ts";
import { RequestRate } from "./request_rate.ts";

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

/** Streams an answer, one event for each token. */
function streamAnswer(c: Context, answer: MockAnswer, usage: boolean, tokenRate: number): Response {
  const interval = 1000 / tokenRate;
  return streamSSE(c, async (stream) => {
    let due = performance.now();
    for (const chunk of completionChunks(answer, seconds(Date.now()), usage)) {
      if (stream.aborted) return;
      await stream.writeSSE({ data: JSON.stringify(chunk) });
      due += interval;
      const wait = due - performance.now();
      if (wait > 1) await systemClock.sleep(wait);
    }
    await stream.writeSSE({ data: "[DONE]" });
  });
}

/** What befalls requests one after the other: refusals, errors and delays. */
class Weather {
  readonly #settings: MockSettings;
  readonly #rate: RequestRate;
  readonly #random: () => number;

  constructor(settings: MockSettings) {
    this.#settings = settings;
    this.#rate = new RequestRate(settings.rps);
    this.#random = seededRandom(settings.seed);
  }

  /** The refusal or error that this request meets; `undefined` when it meets none. */
  trouble(c: Context): Response | undefined {
    const { rps, errorRate } = this.#settings;
    const wait = this.#rate.take(performance.now());
    if (wait !== undefined) {
      const body = errorBody(
        `Rate limit reached: ${rps} requests a second`,
        "requests",
        "rate_limit_exceeded",
      );
      return c.json(body, 429, {
        "retry-after": String(Math.ceil(wait / 1000)),
        "retry-after-ms": String(Math.ceil(wait)),
      });
    }
    if (errorRate > 0 && this.#random() < errorRate) {
      return c.json(errorBody("The mock server was told to fail", "server_error", null), 500);
    }
    return undefined;
  }

  /** Milliseconds before the answer begins. */
  delay(): number {
    const { delay } = this.#settings;
    return delay[1] === 0 ? 0 : between(this.#random, delay) * 1000;
  }
}

/** Builds the app for checked settings. */
export function buildMockApp(settings: MockSettings): Hono {
  const weather = new Weather(settings);
  let requests = 0;
  const app = new Hono();

  const chat = async (c: Context) => {
    c.header("x-request-id", `req_mock_${++requests}`);
    const trouble = weather.trouble(c);
    if (trouble !== undefined) return trouble;
    let body: unknown;
    try {
      body = await c.req.json();
    } catch {
      const message = "We could not parse the JSON body of your request.";
      return c.json(errorBody(message, "invalid_request_error", null), 400);
    }
    const read = readChatRequest(body);
    if ("problem" in read) return c.json(read.problem, 400);

    const answer = answerChat(read.request, settings);
    const { stream, stream_options: streamOptions } = read.request;
    const writing = stream ? 0 : answer.completionTokens / settings.tokenRate * 1000;
    const wait = weather.delay() + writing;
    if (wait > 0) await systemClock.sleep(wait);
    if (stream) {
      return streamAnswer(c, answer, streamOptions?.include_usage === true, settings.tokenRate);
    }
    return c.json(completionBody(answer, seconds(Date.now())));
  };
  const models = (c: Context) => c.json(modelsBody(settings.models));

  for (const base of ["", "/v1"]) {
    app.post(`${base}/chat/completions`, chat);
    app.get(`${base}/models`, models);
  }
  app.get("/", (c) => c.text("flexllm mock server: POST /v1/chat/completions, GET /v1/models\n"));
  app.notFound((c) => {
    const message = `Invalid URL (${c.req.method} ${c.req.path})`;
    return c.json(errorBody(message, "invalid_request_error", "unknown_url"), 404);
  });
  return app;
}
