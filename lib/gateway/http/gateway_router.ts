/**
 * Takes every request to the gateway: finds its route, authenticates the caller, reads the body, and answers.
 *
 * All requests pass through one function, and what no route covers is refused.
 *
 * @module
 */
import type { Context } from "hono";
import { loopbackCheck } from "../../transport/loopback.ts";
import type { Access, Caller } from "../access.ts";
import { clientLeft, gatewayStops } from "../end_reasons.ts";
import { Lazy } from "../../runtime/lazy.ts";
import { GatewayError } from "../gateway_error.ts";
import { refuseAdmin } from "./admin_access.ts";
import { Arrival } from "./arrival.ts";
import { corsHeaders, isForeign, isPreflight, preflightResponse, withHeaders } from "./cors.ts";
import { countTokens } from "./count_tokens.ts";
import { clientSecret } from "./credentials.ts";
import { embed } from "./embeddings.ts";
import { errorResponse } from "./error_response.ts";
import { formatOf, loadFormats, type ServedFormat } from "../../protocols/servers.ts";
import type { GatewayHost } from "./gateway_host.ts";
import { healthResponse } from "./health.ts";
import type { HttpCall } from "./http_call.ts";
import { modelBody, modelsBody } from "./models.ts";
import { openCall } from "./open_call.ts";
import { requestFacts, type RequestProgress } from "./request_facts.ts";
import { type ResponseFacts, responseHeaders } from "./response_headers.ts";
import {
  type CallMatch,
  type EmbeddingOperation,
  RouteTable,
  type TableEntry,
} from "./route_table.ts";

/** The caller of a gateway without keys. */
const ANYONE: Caller = { id: "", name: "", mayUse: () => true, isMetered: false };

/** The default of {@link GatewayOptions.maxBodyBytes}. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** A request on its way, and what is known about it. */
interface Exchange {
  readonly arrival: Arrival;
  format: ServedFormat;
  readonly progress: RequestProgress;
}

/** Answers the requests to one gateway. */
export class GatewayRouter {
  readonly #host: GatewayHost;
  #formats: readonly ServedFormat[] = [];
  #table: RouteTable | undefined;
  readonly #loading = new Lazy(async () => {
    this.#formats = await loadFormats();
    return this.#table = new RouteTable(this.#formats);
  });

  constructor(host: GatewayHost) {
    this.#host = host;
  }

  /** Loads the wire formats. Otherwise the first request has to wait for them. */
  load(): Promise<RouteTable> {
    return this.#loading.get();
  }

  /** Answers a request. Never rejects. */
  async handle(context: Context): Promise<Response> {
    const response = await this.#answerTo(context);
    // Clients that keep their connections move on to another gateway.
    if (this.#host.isDraining) response.headers.set("connection", "close");
    return response;
  }

  async #answerTo(context: Context): Promise<Response> {
    const arrival = new Arrival(context.req.raw, context.env);
    const table = this.#table ?? await this.load();
    const entry = table.find(arrival.path);
    try {
      if (entry?.match.kind === "admin") return await this.#admin(arrival, context, entry);
      return await this.#crossOrigin(arrival, () => this.#traced(arrival, entry));
    } catch (error) {
      return this.#fail(this.#exchange(arrival, "unknown"), error);
    }
  }

  /** Answers a request within its span. Health checks have none: they are frequent, and say nothing. */
  #traced(arrival: Arrival, entry: TableEntry | undefined): Promise<Response> {
    const kind = entry?.match.kind;
    const answer = () => this.#route(arrival, entry);
    if (kind === "live" || kind === "ready") return answer();
    return this.#host.traces.run(arrival, entry !== undefined, answer);
  }

  /** Applies what the options say about browsers. */
  async #crossOrigin(arrival: Arrival, answer: () => Promise<Response>): Promise<Response> {
    const { corsOrigins } = this.#host.options;
    if (corsOrigins === undefined || corsOrigins.length === 0) return await answer();
    const headers = corsHeaders(arrival.request, corsOrigins);
    const response = isPreflight(arrival.request)
      ? preflightResponse(arrival.request, headers)
      : await answer();
    return withHeaders(response, headers);
  }

  #exchange(arrival: Arrival, operation: string, format?: ServedFormat): Exchange {
    const chosen = format ?? formatOf(this.#formats, arrival.request);
    return { arrival, format: chosen, progress: { operation, format: chosen.protocol.name } };
  }

  /** Answers a call of a model. */
  async #call(arrival: Arrival, { format, context }: CallMatch): Promise<Response> {
    const exchange = this.#exchange(arrival, context.operation, format);
    let call: HttpCall;
    try {
      const caller = this.#authenticate(exchange);
      if (this.#host.isDraining) throw gatewayStops("draining");
      const { maxBodyBytes = MAX_BODY_BYTES } = this.#host.options;
      call = await openCall(arrival, format, context, caller, maxBodyBytes);
      exchange.progress.requestedModel = call.model;
      exchange.progress.stream = call.stream;
      if (context.operation === "count_tokens") return await this.#count(exchange, call);
    } catch (error) {
      return this.#fail(exchange, error);
    }
    return await this.#host.answerCall(call);
  }

  async #count(exchange: Exchange, call: HttpCall): Promise<Response> {
    const route = this.#host.routeOf(call);
    exchange.progress.route = route.name;
    const body = await countTokens(call, route);
    return this.#answer(exchange, body, { route: route.name });
  }

  #authenticate({ arrival, progress }: Exchange): Caller {
    const { access, corsOrigins } = this.#host.options;
    const caller = progress.caller = access === undefined ? ANYONE : callerOf(access, arrival);
    if (caller.id === "") refuseWebPages(arrival.request, corsOrigins, access !== undefined);
    return caller;
  }

  /** Answers everything but the operator's pages. */
  async #route(arrival: Arrival, entry: TableEntry | undefined): Promise<Response> {
    if (entry === undefined) return this.#unknown(arrival);
    const { match, methods } = entry;
    const { method } = arrival.request;
    if (!methods.includes(method)) return this.#notAllowed(arrival, methods);
    if (match.kind === "call") return await this.#call(arrival, match);
    if (match.kind === "live" || match.kind === "ready") {
      return healthResponse(match.kind, this.#host);
    }
    if (match.kind === "embeddings") {
      return await this.#embeddings(arrival, match.operation, match.model);
    }
    const exchange = this.#exchange(arrival, "models");
    const { server } = exchange.format;
    try {
      const caller = this.#authenticate(exchange);
      const body = match.kind === "model"
        ? await modelBody(this.#host, caller, server, match.id)
        : await modelsBody(this.#host, caller, server, arrival.query);
      return this.#answer(exchange, JSON.stringify(body));
    } catch (error) {
      return this.#fail(exchange, error);
    }
  }

  async #embeddings(
    arrival: Arrival,
    operation: EmbeddingOperation,
    model: string | undefined,
  ): Promise<Response> {
    const isGemini = operation !== "embeddings";
    const format = this.#formats.find(({ protocol }) =>
      protocol.name === (isGemini ? "gemini" : "chat")
    );
    const exchange = this.#exchange(arrival, "embeddings", format);
    const { progress } = exchange;
    try {
      const caller = this.#authenticate(exchange);
      if (this.#host.isDraining) throw gatewayStops("draining");
      const { maxBodyBytes = MAX_BODY_BYTES } = this.#host.options;
      const context = { operation: "chat", model, stream: false } as const;
      const call = await openCall(arrival, exchange.format, context, caller, maxBodyBytes, true);
      progress.requestedModel = call.model;
      const route = this.#host.routeOf(call);
      progress.route = route.name;
      const { body, headers, waited, target, usage, cost, admission } = await embed(
        this.#host,
        call,
        route,
        operation,
        (attempts) => progress.attempts = attempts,
      );
      const { model: actual, endpoint: { name, routeName = name } } = target;
      Object.assign(progress, { usage, cost, waited, model: actual, endpoint: routeName });
      const facts = {
        route: route.name,
        endpoint: routeName,
        model: actual,
        attempts: progress.attempts,
        overhead: performance.now() - arrival.startedAt - waited,
        cost,
        admission,
      };
      return this.#answer(exchange, body, facts, headers);
    } catch (error) {
      return this.#fail(exchange, error);
    }
  }

  /** Answers requests for the operator's pages, and the `HEAD /` with which some clients begin. */
  async #admin(arrival: Arrival, context: Context, { methods }: TableEntry): Promise<Response> {
    const { request, path } = arrival;
    if (!methods.includes(request.method)) return this.#notAllowed(arrival, methods);
    if (path === "/" && request.method === "HEAD") return new Response(null, { status: 200 });
    const { adminKey } = this.#host.options;
    const refusal = refuseAdmin(arrival, adminKey) ?? refuseHost(request, adminKey);
    if (refusal !== undefined) return refusal;
    const answer = this.#host.adminHandlers[path];
    return answer === undefined ? this.#unknown(arrival) : await answer(context);
  }

  #unknown(arrival: Arrival): Response {
    const { request: { method }, path } = arrival;
    const meant = this.#table?.suggestion(path);
    const shown = path.length > 200 ? `${path.slice(0, 200)}…` : path;
    const error = new GatewayError(404, `there is no ${method} ${shown} here`, {
      reason: "unknown_url",
      hint: meant === undefined ? undefined : `Did you mean ${meant}?`,
    });
    return this.#fail(this.#exchange(arrival, "unknown"), error);
  }

  #notAllowed(arrival: Arrival, methods: readonly string[]): Response {
    const { request: { method }, path } = arrival;
    const allow = methods.join(", ");
    const error = new GatewayError(405, `${method} is not allowed on ${path}; use ${allow}`, {
      reason: "method_not_allowed",
    });
    return this.#fail(this.#exchange(arrival, "unknown"), error, { allow });
  }

  #answer(
    exchange: Exchange,
    body: string,
    facts: Omit<ResponseFacts, "id"> = {},
    passed: Record<string, string> = {},
  ): Response {
    const { arrival, format, progress } = exchange;
    const headers = responseHeaders(format.server, { id: arrival.id, ...facts });
    Object.assign(headers, passed);
    headers["content-type"] = "application/json";
    this.#host.report(requestFacts(arrival, progress, 200));
    return new Response(body, { headers });
  }

  #fail(exchange: Exchange, error: unknown, headers?: Record<string, string>): Response {
    const { arrival, format: { server }, progress } = exchange;
    // A body that breaks off is the client's doing, whatever the runtime calls it.
    const reason = arrival.request.signal.aborted ? clientLeft(error) : error;
    const { route, attempts } = progress;
    const all = { ...responseHeaders(server, { id: arrival.id, route, attempts }), ...headers };
    const response = errorResponse(server, reason, arrival.id, all);
    this.#host.report(requestFacts(arrival, progress, response.status, reason));
    return response;
  }
}

/** Identifies the caller. Where no key is needed, it does not matter that a request has several. */
function callerOf(access: Access, arrival: Arrival): Caller {
  let secret: string | undefined;
  try {
    secret = clientSecret(arrival);
  } catch (error) {
    try {
      return access.authenticate(undefined);
    } catch {
      throw error;
    }
  }
  return access.authenticate(secret);
}

/**
 * Refuses web pages where no key could stop them: browsers send simple requests to any server without asking,
 * and with DNS rebinding a page can call this machine under its own host name.
 *
 * @param isLocal whether only this machine may call
 * @throws {GatewayError} 403
 */
function refuseWebPages(
  request: Request,
  corsOrigins: readonly string[] | undefined,
  isLocal: boolean,
): void {
  const { headers } = request;
  if (isLocal && !isLocalHost(headers.get("host"))) {
    throw new GatewayError(
      403,
      `the gateway accepts only requests to this machine, not to the host "${headers.get("host")}"`,
      {
        reason: "forbidden_host",
        hint: "Use localhost or 127.0.0.1. With virtual keys, every host is accepted.",
      },
    );
  }
  const origin = headers.get("origin");
  if (origin === null || !isForeign(origin, headers, corsOrigins)) return;
  throw new GatewayError(403, `web pages of ${origin} may not call this gateway`, {
    reason: "origin_not_allowed",
    hint: "Add the origin to the setting serve.cors.",
  });
}

const isLocalHost = loopbackCheck();

/** Without an admin key, a page must not be readable under the host name of a web site: DNS rebinding. */
function refuseHost(request: Request, adminKey: string | undefined): Response | undefined {
  if (adminKey !== undefined) return undefined;
  if (isLocalHost(request.headers.get("host"))) return undefined;
  return new Response("Use localhost or 127.0.0.1, or start the gateway with an admin key.\n", {
    status: 403,
    headers: { "content-type": "text/plain; charset=utf-8" },
  });
}
