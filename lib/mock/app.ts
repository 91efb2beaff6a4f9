/**
 * A mock LLM server as a Hono app: nothing is asked, nothing is paid, and answers are the same for
 * the same question. It speaks OpenAI Chat Completions and Responses, Anthropic Messages and Gemini.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { systemClock } from "../clock.ts";
import { anthropic } from "./anthropic.ts";
import { findCanned } from "./canned.ts";
import { brokenBody, brokenStream, type MockErrorKind } from "./faults.ts";
import { gemini } from "./gemini.ts";
import { openaiChat } from "./openai_chat.ts";
import { openaiResponses } from "./openai_responses.ts";
import type { MockSettings } from "./options.ts";
import type { MockEvent, MockProtocol, MockTrouble } from "./protocol.ts";
import { answerQuestion, type MockAnswer, type MockQuestion } from "./question.ts";
import { RequestLog } from "./request_log.ts";
import { type Failure, Weather } from "./weather.ts";

/** What the path of a request says. */
interface Path {
  model?: string;
  stream?: boolean;
}

type HeaderRecord = Record<string, string>;

/** A plain record of headers is what the runtimes write fastest. */
function json(body: unknown, status: number, headers: HeaderRecord): Response {
  const type = { "content-type": "application/json" };
  return new Response(JSON.stringify(body), { status, headers: { ...type, ...headers } });
}

function refuse(
  protocol: MockProtocol,
  trouble: MockTrouble,
  headers: HeaderRecord,
  wait?: number,
): Response {
  const { status, body } = protocol.error(trouble);
  if (wait === undefined) return json(body, status, headers);
  const later = {
    "retry-after": String(Math.ceil(wait / 1000)),
    "retry-after-ms": String(Math.ceil(wait)),
  };
  return json(body, status, { ...headers, ...later });
}

/** An error with a status of one's own choice, in the protocol's words for the nearest kind. */
function refuseWith(
  protocol: MockProtocol,
  status: number,
  message: string,
  headers: HeaderRecord,
): Response {
  const kind = status === 429
    ? "rate_limit"
    : status === 529 || status === 503
    ? "overloaded"
    : status === 404
    ? "not_found"
    : status < 500
    ? "invalid"
    : "server_error";
  return json(protocol.error({ kind, message }, status).body, status, headers);
}

function isStatus(kind: MockErrorKind): kind is "server_error" | "overloaded" | "rate_limit" {
  return kind === "server_error" || kind === "overloaded" || kind === "rate_limit";
}

/** Streams events; those with a token take the time of one. */
function streamEvents(
  c: Context,
  events: Iterable<MockEvent>,
  tokenRate: number,
  firstToken: number,
): Response {
  const interval = 1000 / tokenRate;
  return streamSSE(c, async (stream) => {
    if (firstToken > 0) await systemClock.sleep(firstToken);
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

/** The protocol of a request for the list of models, which three of them ask on one path. */
function protocolOfHeaders(c: Context): MockProtocol {
  if (c.req.header("anthropic-version") !== undefined) return anthropic;
  const isGemini = c.req.header("x-goog-api-key") !== undefined || c.req.query("key") !== undefined;
  return isGemini ? gemini : openaiChat;
}

/** One mock: its settings, its weather and what it was asked. */
class Mock {
  readonly #settings: MockSettings;
  readonly #weather: Weather;
  readonly log = new RequestLog();
  #requests = 0;

  constructor(settings: MockSettings) {
    this.#settings = settings;
    this.#weather = new Weather(settings);
  }

  /** Answers a request and notes it. */
  async answer(c: Context, protocol: MockProtocol, path: Path = {}): Promise<Response> {
    let body: unknown;
    try {
      body = await c.req.raw.json();
    } catch {
      // Told below, when the weather has had its say.
    }
    const response = await this.#respond(c, protocol, path, body);
    this.log.add(c.req.raw, body ?? null, response.status);
    return response;
  }

  async #respond(
    c: Context,
    protocol: MockProtocol,
    path: Path,
    body: unknown,
  ): Promise<Response> {
    const failure = this.#weather.failure();
    const headers = protocol.headers(++this.#requests, this.#weather.limit());
    if (failure !== undefined && isStatus(failure.kind)) {
      const trouble = { kind: failure.kind, message: failure.message };
      return refuse(protocol, trouble, headers, failure.wait);
    }
    if (body === undefined) {
      const message = "We could not parse the JSON body of your request.";
      return refuse(protocol, { kind: "invalid", message }, headers);
    }
    const question = protocol.read(body, path);
    if ("kind" in question) return refuse(protocol, question, headers);

    const given = findCanned(this.#settings.responses, question.question);
    const said = answerQuestion(question, this.#settings, given);
    const writing = question.stream ? 0 : said.completionTokens / this.#settings.tokenRate * 1000;
    const delay = given?.delay === undefined ? this.#weather.delay() : given.delay * 1000;
    if (delay + writing > 0) await systemClock.sleep(delay + writing);
    if (given?.status !== undefined) {
      return refuseWith(protocol, given.status, given.text ?? "", headers);
    }
    if (!question.stream && failure === undefined) return json(protocol.body(said), 200, headers);
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    return this.#write(c, protocol, question, body, said, failure);
  }

  /** Writes what takes its time, or breaks. */
  #write(
    c: Context,
    protocol: MockProtocol,
    question: MockQuestion,
    body: unknown,
    said: MockAnswer,
    failure: Failure | undefined,
  ): Response {
    const events = protocol.events(said, body);
    if (failure === undefined) {
      return streamEvents(c, events, this.#settings.tokenRate, this.#weather.firstToken());
    }
    const { signal } = c.req.raw;
    if (question.stream) {
      c.header("content-type", "text/event-stream");
      return c.body(brokenStream(events, failure.kind, signal));
    }
    c.header("content-type", "application/json");
    return c.body(brokenBody(JSON.stringify(protocol.body(said)), failure.kind, signal));
  }
}

const GEMINI_CALL = /^(.+):(generateContent|streamGenerateContent)$/;

/** Builds the app for checked settings. */
export function buildMockApp(settings: MockSettings): Hono {
  const mock = new Mock(settings);
  const app = new Hono();
  for (const base of ["", "/v1"]) {
    app.post(`${base}/chat/completions`, (c) => mock.answer(c, openaiChat));
    app.post(`${base}/responses`, (c) => mock.answer(c, openaiResponses));
    app.post(`${base}/messages`, (c) => mock.answer(c, anthropic));
  }
  for (const base of ["/v1", "/v1beta"]) {
    // A closer pattern would put all paths on Hono's slow router.
    app.post(`${base}/models/:call{.+}`, (c) => {
      const [, model, method] = GEMINI_CALL.exec(c.req.param("call")) ?? [];
      if (model === undefined) return c.notFound();
      return mock.answer(c, gemini, { model, stream: method === "streamGenerateContent" });
    });
  }
  const models = (c: Context) => c.json(protocolOfHeaders(c).models(settings.models) as object);
  for (const base of ["", "/v1", "/v1beta"]) app.get(`${base}/models`, models);
  app.get("/__mock/requests", (c) => c.json({ requests: mock.log.requests }));
  app.delete("/__mock/requests", (c) => {
    mock.log.clear();
    return c.body(null, 204);
  });
  app.get("/", (c) => c.text("flexllm mock server. What it was asked: GET /__mock/requests\n"));
  app.notFound((c) =>
    refuse(protocolOfHeaders(c), {
      kind: "not_found",
      message: `Invalid URL (${c.req.method} ${c.req.path})`,
    }, {})
  );
  return app;
}
