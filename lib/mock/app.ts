/**
 * A mock LLM server as a Hono app: nothing is asked, nothing is paid, and answers are the same for
 * the same question. It speaks OpenAI Chat Completions and Responses, Anthropic Messages and Gemini.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { systemClock } from "../clock.ts";
import { anthropic } from "./anthropic.ts";
import { gemini } from "./gemini.ts";
import { openaiChat } from "./openai_chat.ts";
import { openaiResponses } from "./openai_responses.ts";
import type { MockSettings } from "./options.ts";
import type { MockEvent, MockProtocol, MockTrouble } from "./protocol.ts";
import { answerQuestion } from "./question.ts";
import { between, seededRandom } from "./random.ts";
import { RequestRate } from "./request_rate.ts";

/** Streams events; those with a token take the time of one. */
function streamEvents(c: Context, events: Iterable<MockEvent>, tokenRate: number): Response {
  const interval = 1000 / tokenRate;
  return streamSSE(c, async (stream) => {
    let due = performance.now();
    for (const { token, ...event } of events) {
      if (stream.aborted) return;
      await stream.writeSSE(event);
      if (!token) continue;
      due += interval;
      const wait = due - performance.now();
      if (wait > 1) await systemClock.sleep(wait);
    }
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

  /** The refusal or error that this request meets, with the milliseconds to wait after a refusal. */
  trouble(): { trouble: MockTrouble; wait?: number } | undefined {
    const { rps, errorRate } = this.#settings;
    const wait = this.#rate.take(performance.now());
    if (wait !== undefined) {
      const message = `Rate limit reached: ${rps} requests a second`;
      return { trouble: { kind: "rate_limit", message }, wait };
    }
    if (errorRate > 0 && this.#random() < errorRate) {
      return { trouble: { kind: "server_error", message: "The mock server was told to fail" } };
    }
    return undefined;
  }

  /** Milliseconds before the answer begins. */
  delay(): number {
    const { delay } = this.#settings;
    return delay[1] === 0 ? 0 : between(this.#random, delay) * 1000;
  }
}

function refuse(c: Context, protocol: MockProtocol, trouble: MockTrouble, wait?: number): Response {
  if (wait !== undefined) {
    c.header("retry-after", String(Math.ceil(wait / 1000)));
    c.header("retry-after-ms", String(Math.ceil(wait)));
  }
  const { status, body } = protocol.error(trouble);
  return c.json(body as object, status as ContentfulStatusCode);
}

/** The protocol of a request for the list of models, which three of them ask on one path. */
function protocolOfHeaders(c: Context): MockProtocol {
  if (c.req.header("anthropic-version") !== undefined) return anthropic;
  const isGemini = c.req.header("x-goog-api-key") !== undefined || c.req.query("key") !== undefined;
  return isGemini ? gemini : openaiChat;
}

/** Builds the app for checked settings. */
export function buildMockApp(settings: MockSettings): Hono {
  const weather = new Weather(settings);
  let requests = 0;
  const app = new Hono();

  const answer = async (
    c: Context,
    protocol: MockProtocol,
    path: { model?: string; stream?: boolean } = {},
  ) => {
    for (const [name, value] of Object.entries(protocol.headers(++requests))) c.header(name, value);
    const met = weather.trouble();
    if (met !== undefined) return refuse(c, protocol, met.trouble, met.wait);
    let body: unknown;
    try {
      body = await c.req.json();
    } catch {
      const message = "We could not parse the JSON body of your request.";
      return refuse(c, protocol, { kind: "invalid", message });
    }
    const question = protocol.read(body, path);
    if ("kind" in question) return refuse(c, protocol, question);

    const said = answerQuestion(question, settings);
    const writing = question.stream ? 0 : said.completionTokens / settings.tokenRate * 1000;
    const wait = weather.delay() + writing;
    if (wait > 0) await systemClock.sleep(wait);
    if (question.stream) return streamEvents(c, protocol.events(said, body), settings.tokenRate);
    return c.json(protocol.body(said) as object);
  };
  const models = (c: Context) => c.json(protocolOfHeaders(c).models(settings.models) as object);

  for (const base of ["", "/v1"]) {
    app.post(`${base}/chat/completions`, (c) => answer(c, openaiChat));
    app.post(`${base}/responses`, (c) => answer(c, openaiResponses));
    app.post(`${base}/messages`, (c) => answer(c, anthropic));
  }
  for (const base of ["/v1", "/v1beta"]) {
    app.post(`${base}/models/:call{.+:(generateContent|streamGenerateContent)}`, (c) => {
      const [model, method] = c.req.param("call").split(":");
      return answer(c, gemini, { model, stream: method === "streamGenerateContent" });
    });
  }
  for (const base of ["", "/v1", "/v1beta"]) app.get(`${base}/models`, models);
  app.get("/", (c) => c.text("flexllm mock server: POST /v1/chat/completions, GET /v1/models\n"));
  app.notFound((c) =>
    refuse(c, protocolOfHeaders(c), {
      kind: "not_found",
      message: `Invalid URL (${c.req.method} ${c.req.path})`,
    })
  );
  return app;
}
