/**
 * Answers the requests of all protocols: decodes, injects faults, encodes.
 *
 * @module
 */
import type { Context } from "hono";
import { asObject, type Json, tryParse } from "../json/json.ts";
import { SERVER_SENT_EVENTS } from "../protocols/event_framing.ts";
import type {
  ProtocolServer,
  RequestContext,
  ServerError,
  ServerRequest,
  ServerResponse,
} from "../protocols/serve.ts";
import { systemClock } from "../runtime/clock.ts";
import { addFacts } from "./access_log.ts";
import { makeAnswer, promptTokensOf } from "./answer.ts";
import { brokenBody, brokenStream } from "./broken_response.ts";
import { findCanned } from "./canned.ts";
import { embed, type EmbeddingOperation } from "./embeddings.ts";
import type { MockErrorKind } from "./error_kinds.ts";
import { type ErrorContext, errorResponse, type HeaderRecord, json } from "./error_response.ts";
import { FaultInjector, type MockError } from "./fault_injection.ts";
import type { MockSettings } from "./options.ts";
import { pacedStream, streamChunks } from "./paced_stream.ts";
import { lastUserText } from "./prompt.ts";
import type { RequestLog } from "./request_log.ts";

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

/** A request that is being answered. */
interface Exchange extends ErrorContext {
  /** An error that breaks the answer midway. */
  error: MockError | undefined;
}

/** Answers the JSON object that a request contains. */
type Operation = (body: Json, exchange: Exchange) => Response | Promise<Response>;

/** The client left, so nobody reads this. 499 is nginx's status for it. */
function abandoned(): Response {
  return new Response(null, { status: 499 });
}

/** A mock: its settings, faults and log. */
export class Responder {
  readonly #settings: MockSettings;
  readonly #faults: FaultInjector;
  readonly #log: RequestLog;
  #requests = 0;

  /** @param log where to log the requests */
  constructor(settings: MockSettings, log: RequestLog) {
    this.#settings = settings;
    this.#log = log;
    this.#faults = new FaultInjector(settings);
  }

  /** Answers a request of a chat API and logs it. */
  answer(c: Context, server: ProtocolServer, context: RequestContext): Promise<Response> {
    const full = server.context === undefined
      ? context
      : { ...context, ...server.context(c.req.raw) };
    addFacts(c.req.raw, { model: context.model });
    return this.#answer(c.req.raw, server, (body, exchange) => this.#chat(body, exchange, full));
  }

  /** Answers a request for embeddings and logs it. */
  embed(
    c: Context,
    server: ProtocolServer,
    operation: EmbeddingOperation,
    model?: string,
  ): Promise<Response> {
    addFacts(c.req.raw, { model });
    return this.#answer(
      c.req.raw,
      server,
      (body, exchange) => this.#embed(body, exchange, operation),
    );
  }

  /** An error response for a request that reaches no protocol. */
  reject(
    request: Request,
    server: ProtocolServer,
    error: ServerError,
    headers: HeaderRecord = {},
  ): Response {
    const requestId = this.#nextId();
    const all = { ...server.headers(requestId), ...headers };
    return errorResponse({ request, server, requestId, headers: all }, error);
  }

  /**
   * The injected error of a request that reaches no protocol: an error response, or `drop` for errors that
   * break the answer. `undefined` if it succeeds.
   */
  injectError(request: Request, server: ProtocolServer): Response | "drop" | undefined {
    const error = this.#faults.nextError();
    if (error === undefined) return undefined;
    addFacts(request, { fault: error.kind });
    const status = statusOf(error.kind, server);
    return status === undefined ? "drop" : this.reject(request, server, { ...error, status });
  }

  #nextId(): string {
    return `req_mock_${++this.#requests}`;
  }

  async #answer(
    request: Request,
    server: ProtocolServer,
    operation: Operation,
  ): Promise<Response> {
    const text = await request.text();
    const response = await this.#respond(request, server, text, operation);
    this.#log.add(request, text, response.status);
    return response;
  }

  async #respond(
    request: Request,
    server: ProtocolServer,
    text: string,
    operation: Operation,
  ): Promise<Response> {
    const error = this.#faults.nextError();
    const requestId = this.#nextId();
    const headers = server.headers(requestId, this.#faults.limit());
    const exchange: Exchange = { request, server, requestId, headers, error };
    const body = tryParse(text);
    const object = asObject(body);
    if (typeof object?.model === "string") addFacts(request, { model: object.model });
    if (error !== undefined) addFacts(request, { fault: error.kind });
    const status = error && statusOf(error.kind, server);
    if (status !== undefined) return errorResponse(exchange, { ...error!, status });
    if (body === undefined) {
      const message = "We could not parse the JSON body of your request.";
      return errorResponse(exchange, { status: 400, message });
    }
    if (object === undefined) {
      const message = "The body of the request must be a JSON object.";
      return errorResponse(exchange, { status: 400, message });
    }
    return await operation(object, exchange);
  }

  async #embed(
    body: Json,
    exchange: Exchange,
    operation: EmbeddingOperation,
  ): Promise<Response> {
    const made = embed(operation, body, this.#settings.seed);
    if ("status" in made) return errorResponse(exchange, made);
    addFacts(exchange.request, { promptTokens: made.tokens });
    if (!await this.#wait(this.#faults.delay(), exchange)) return abandoned();
    return this.#json(made.body, exchange);
  }

  async #chat(body: Json, exchange: Exchange, context: RequestContext): Promise<Response> {
    const { server, request, headers } = exchange;
    const decoded = this.#decode(body, server, context);
    if ("status" in decoded) return errorResponse(exchange, decoded);
    if (context.operation === "count_tokens") {
      const tokens = promptTokensOf(decoded);
      addFacts(request, { promptTokens: tokens });
      return json(server.encodeTokenCount!(tokens), 200, headers);
    }
    return await this.#complete(decoded, exchange, context);
  }

  /** Validates and decodes a body. A lenient mock does not validate. */
  #decode(
    body: Json,
    server: ProtocolServer,
    context: RequestContext,
  ): ServerRequest | ServerError {
    const normalized: Json = server.normalize?.(body, context) ?? body;
    const problem = this.#settings.lenient ? undefined : server.validate(normalized, context);
    return problem ?? server.decodeRequest(normalized, context);
  }

  async #complete(
    request: ServerRequest,
    exchange: Exchange,
    context: RequestContext,
  ): Promise<Response> {
    const { server } = exchange;
    const { chat } = request;
    const canned = findCanned(this.#settings.responses, lastUserText(chat.messages));
    const answer = makeAnswer(request, this.#settings, canned, server.toolCallPrefix);
    const { promptTokens, completionTokens } = answer.usage!;
    const writing = chat.stream ? 0 : completionTokens / this.#settings.tokenRate * 1000;
    const delay = canned?.delay === undefined ? this.#faults.delay() : canned.delay * 1000;
    addFacts(exchange.request, { streamed: chat.stream });
    if (!await this.#wait(delay + writing, exchange)) return abandoned();
    if (canned?.status !== undefined) {
      return errorResponse(exchange, { status: canned.status, message: canned.text ?? "" });
    }
    addFacts(exchange.request, { promptTokens, completionTokens });
    if (chat.stream) return this.#stream(request, answer, exchange, context);
    return this.#json(server.encodeResponse(answer, request), exchange);
  }

  /** Waits before an answer; false if the client left meanwhile. */
  async #wait(milliseconds: number, { request }: Exchange): Promise<boolean> {
    if (milliseconds <= 0) return true;
    try {
      await systemClock.sleep(milliseconds, request.signal);
      return true;
    } catch {
      return false;
    }
  }

  /** A plain answer, which an injected error breaks. */
  #json(body: unknown, { request, headers, error }: Exchange): Response {
    if (error === undefined) return json(body, 200, headers);
    addFacts(request, { isOpen: true });
    const broken = brokenBody(JSON.stringify(body), error.kind, request.signal);
    return new Response(broken, { headers: { "content-type": "application/json", ...headers } });
  }

  #stream(
    request: ServerRequest,
    answer: ServerResponse,
    exchange: Exchange,
    { framing = SERVER_SENT_EVENTS }: RequestContext,
  ): Response {
    const { server, headers, error } = exchange;
    addFacts(exchange.request, { isOpen: true });
    const chunks = streamChunks(answer, server.streamEncoder(answer, request), framing);
    const body = error === undefined
      ? pacedStream(chunks, this.#settings.tokenRate, this.#faults.firstToken())
      : brokenStream(chunks, error.kind, exchange.request.signal);
    const type = framing.contentType;
    return new Response(body, {
      headers: { "content-type": type, "cache-control": "no-cache", ...headers },
    });
  }
}
