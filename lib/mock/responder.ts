/**
 * Answers the calls of all protocols: reads, injects faults, writes.
 *
 * @module
 */
import type { Context } from "hono";
import { systemClock } from "../runtime/clock.ts";
import type { Json } from "../json/json.ts";
import { findCanned } from "./canned.ts";
import { type Failure, FaultInjector } from "./fault_injection.ts";
import { brokenBody, brokenStream } from "./faults.ts";
import type { MockErrorKind } from "./error_kinds.ts";
import { answerRequest, type MockAnswer } from "./mock_answer.ts";
import type { MockSettings } from "./options.ts";
import type { CallContext, MockError, MockProtocol } from "./protocol.ts";
import { RequestLog } from "./request_log.ts";
import { arrayFrames, sseFrames, streamFrames } from "./streaming.ts";
import { countTokens } from "./text.ts";

/** A call, as its path and headers describe it. */
export interface Call extends CallContext {
  /** Streams as one JSON array instead of events. */
  asArray?: boolean;
}

type HeaderRecord = Record<string, string>;

/** Runtimes write a plain record of headers fastest. */
function json(body: unknown, status: number, headers: HeaderRecord): Response {
  const type = { "content-type": "application/json" };
  return new Response(JSON.stringify(body), { status, headers: { ...type, ...headers } });
}

function statusOf(kind: MockErrorKind, protocol: MockProtocol): number | undefined {
  switch (kind) {
    case "server_error":
      return 500;
    case "overloaded":
      return protocol.overloaded;
    case "rate_limit":
      return 429;
    default:
      return undefined;
  }
}

/** Parses a body; `undefined` when it is not JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A mock: its settings, faults and log. */
export class Responder {
  readonly #settings: MockSettings;
  readonly #faults: FaultInjector;
  /** The requests so far. */
  readonly log = new RequestLog();
  #requests = 0;

  constructor(settings: MockSettings) {
    this.#settings = settings;
    this.#faults = new FaultInjector(settings);
  }

  /** Answers a call and logs it. */
  async answer(c: Context, protocol: MockProtocol, call: Call = {}): Promise<Response> {
    const request = c.req.raw;
    const text = await request.text();
    const response = await this.#respond(request, protocol, call, text);
    this.log.add(request, text, response.status);
    return response;
  }

  /** An error answer. */
  refuse(protocol: MockProtocol, error: MockError, headers: HeaderRecord = {}): Response {
    return this.#error(protocol, error, {
      ...protocol.headers(++this.#requests, undefined),
      ...headers,
    });
  }

  #error(protocol: MockProtocol, error: MockError, headers: HeaderRecord): Response {
    const { status, retryAfter: wait } = error;
    const later: HeaderRecord = wait === undefined ? {} : {
      "retry-after": String(Math.ceil(wait / 1000)),
      "retry-after-ms": String(Math.ceil(wait)),
    };
    return json(protocol.error(error, this.#requests), status, { ...headers, ...later });
  }

  async #respond(
    request: Request,
    protocol: MockProtocol,
    call: Call,
    text: string,
  ): Promise<Response> {
    const failure = this.#faults.failure();
    const headers = protocol.headers(++this.#requests, this.#faults.limit());
    const failing = failure && statusOf(failure.kind, protocol);
    if (failing !== undefined) {
      const { message, wait: retryAfter } = failure!;
      return this.#error(protocol, { status: failing, message, retryAfter }, headers);
    }
    const { lenient } = this.#settings;
    const body = parse(text);
    if (body === undefined) {
      const message = "We could not parse the JSON body of your request.";
      return this.#error(protocol, { status: 400, message }, headers);
    }
    const asked = protocol.read(body, { ...call, lenient });
    if ("status" in asked) return this.#error(protocol, asked, headers);
    if (call.counting) return json(protocol.count!(countTokens(asked.conversation)), 200, headers);

    const given = findCanned(this.#settings.responses, asked.question);
    const answer = answerRequest(asked, this.#settings, given);
    const writing = asked.stream ? 0 : answer.completionTokens / this.#settings.tokenRate * 1000;
    const delay = given?.delay === undefined ? this.#faults.delay() : given.delay * 1000;
    if (delay + writing > 0) await systemClock.sleep(delay + writing);
    if (given?.status !== undefined) {
      return this.#error(protocol, { status: given.status, message: given.text ?? "" }, headers);
    }
    if (asked.stream) {
      return this.#stream(request, protocol, call, answer, body as Json, headers, failure);
    }
    const plain = protocol.body(answer, body as Json);
    if (failure === undefined) return json(plain, 200, headers);
    const broken = brokenBody(JSON.stringify(plain), failure.kind, request.signal);
    return new Response(broken, { headers: { "content-type": "application/json", ...headers } });
  }

  #stream(
    request: Request,
    protocol: MockProtocol,
    { asArray = false }: Call,
    answer: MockAnswer,
    body: Json,
    headers: HeaderRecord,
    failure: Failure | undefined,
  ): Response {
    const events = protocol.events(answer, body);
    const frames = asArray ? arrayFrames(events) : sseFrames(events);
    const stream = failure === undefined
      ? streamFrames(frames, this.#settings.tokenRate, this.#faults.firstToken())
      : brokenStream(frames, failure.kind, request.signal);
    const type = asArray ? "application/json" : "text/event-stream";
    return new Response(stream, {
      headers: { "content-type": type, "cache-control": "no-cache", ...headers },
    });
  }
}
