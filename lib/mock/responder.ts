/**
 * Answers the requests of all protocols: decodes, injects faults, encodes.
 *
 * @module
 */
import type { Context } from "hono";
import { asObject, type Json } from "../json/json.ts";
import { SERVER_SENT_EVENTS } from "../protocols/event_framing.ts";
import type {
  ProtocolServer,
  RequestContext,
  ServerError,
  ServerRequest,
  ServerResponse,
} from "../protocols/serve.ts";
import { systemClock } from "../runtime/clock.ts";
import { makeAnswer, promptTokensOf } from "./answer.ts";
import { brokenBody, brokenStream } from "./broken_response.ts";
import { findCanned } from "./canned.ts";
import type { MockErrorKind } from "./error_kinds.ts";
import { FaultInjector, type MockError } from "./fault_injection.ts";
import type { MockSettings } from "./options.ts";
import { pacedStream, streamChunks } from "./paced_stream.ts";
import { lastUserText } from "./prompt.ts";
import { RequestLog } from "./request_log.ts";

type HeaderRecord = Record<string, string>;

/** Runtimes write a plain record of headers fastest. */
function json(body: unknown, status: number, headers: HeaderRecord): Response {
  const type = { "content-type": "application/json" };
  return new Response(JSON.stringify(body), { status, headers: { ...type, ...headers } });
}

/** The status of an error; `undefined` for those that break the answer instead. */
function statusOf(kind: MockErrorKind, server: ProtocolServer): number | undefined {
  switch (kind) {
    case "server_error":
      return 500;
    case "overloaded":
      return server.overloadedStatus;
    case "rate_limit":
      return 429;
    default:
      return undefined;
  }
}

/** Parses a body; `undefined` if it is not JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A request that is being answered. */
interface Exchange {
  server: ProtocolServer;
  context: RequestContext;
  requestId: string;
  headers: HeaderRecord;
  /** An error that breaks the answer midway. */
  error: MockError | undefined;
  signal: AbortSignal;
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

  /** Answers a request and logs it. */
  async answer(c: Context, server: ProtocolServer, context: RequestContext): Promise<Response> {
    const request = c.req.raw;
    const text = await request.text();
    const full = server.context === undefined
      ? context
      : { ...context, ...server.context(request) };
    const response = await this.#respond(request.signal, server, full, text);
    this.log.add(request, text, response.status);
    return response;
  }

  /** An error response for a request that reaches no protocol. */
  reject(server: ProtocolServer, error: ServerError, headers: HeaderRecord = {}): Response {
    const requestId = this.#nextId();
    const all = { ...server.headers(requestId), ...headers };
    return this.#error({ server, requestId, headers: all }, error);
  }

  #nextId(): string {
    return `req_mock_${++this.#requests}`;
  }

  #error(
    { server, requestId, headers }: Pick<Exchange, "server" | "requestId" | "headers">,
    error: ServerError,
  ): Response {
    const encoded = server.encodeError(error, requestId);
    return json(encoded.body, encoded.status, { ...headers, ...encoded.headers });
  }

  async #respond(
    signal: AbortSignal,
    server: ProtocolServer,
    context: RequestContext,
    text: string,
  ): Promise<Response> {
    const error = this.#faults.nextError();
    const requestId = this.#nextId();
    const headers = server.headers(requestId, this.#faults.limit());
    const exchange: Exchange = { server, context, requestId, headers, error, signal };
    const status = error && statusOf(error.kind, server);
    if (status !== undefined) return this.#error(exchange, { ...error!, status });
    const body = parse(text);
    if (body === undefined) {
      const message = "We could not parse the JSON body of your request.";
      return this.#error(exchange, { status: 400, message });
    }
    const decoded = this.#decode(body, server, context);
    if ("status" in decoded) return this.#error(exchange, decoded);
    if (context.operation === "count_tokens") {
      return json(server.encodeTokenCount!(promptTokensOf(decoded)), 200, headers);
    }
    return await this.#complete(decoded, exchange);
  }

  /** Validates and decodes a body. A lenient mock does not validate. */
  #decode(
    body: unknown,
    server: ProtocolServer,
    context: RequestContext,
  ): ServerRequest | ServerError {
    const object = asObject(body);
    if (object === undefined) {
      return { status: 400, message: "The body of the request must be a JSON object." };
    }
    const normalized: Json = server.normalize?.(object, context) ?? object;
    const problem = this.#settings.lenient ? undefined : server.validate(normalized, context);
    return problem ?? server.decodeRequest(normalized, context);
  }

  async #complete(request: ServerRequest, exchange: Exchange): Promise<Response> {
    const { server, headers, error, signal } = exchange;
    const { chat } = request;
    const canned = findCanned(this.#settings.responses, lastUserText(chat.messages));
    const answer = makeAnswer(request, this.#settings, canned, server.toolCallPrefix);
    const tokens = answer.usage!.completionTokens;
    const writing = chat.stream ? 0 : tokens / this.#settings.tokenRate * 1000;
    const delay = canned?.delay === undefined ? this.#faults.delay() : canned.delay * 1000;
    if (delay + writing > 0) await systemClock.sleep(delay + writing);
    if (canned?.status !== undefined) {
      return this.#error(exchange, { status: canned.status, message: canned.text ?? "" });
    }
    if (chat.stream) return this.#stream(request, answer, exchange);
    const body = server.encodeResponse(answer, request);
    if (error === undefined) return json(body, 200, headers);
    const broken = brokenBody(JSON.stringify(body), error.kind, signal);
    return new Response(broken, { headers: { "content-type": "application/json", ...headers } });
  }

  #stream(request: ServerRequest, answer: ServerResponse, exchange: Exchange): Response {
    const { server, context: { framing = SERVER_SENT_EVENTS }, headers, error, signal } = exchange;
    const chunks = streamChunks(answer, server.streamEncoder(answer, request), framing);
    const body = error === undefined
      ? pacedStream(chunks, this.#settings.tokenRate, this.#faults.firstToken())
      : brokenStream(chunks, error.kind, signal);
    const type = framing.contentType;
    return new Response(body, {
      headers: { "content-type": type, "cache-control": "no-cache", ...headers },
    });
  }
}
