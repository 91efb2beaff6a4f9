/**
 * The gateway as a Hono app: requests in any format in, answers of any provider out.
 *
 * @module
 */
import { Hono } from "hono";
import type { LLMClient } from "../client/client.ts";
import type { EndpointClient } from "../client/endpoint_client.ts";
import type { FlexLLMError } from "../errors.ts";
import { CallAnswerer } from "./answer_call.ts";
import { CallDeadlines } from "./call_deadline.ts";
import { CallFlow } from "./call_flow.ts";
import { CallRecord } from "./call_record.ts";
import { endReason, gatewayStops } from "./end_reasons.ts";
import type { GatewayFacts, GatewayObserver } from "./gateway_facts.ts";
import type { GatewayOptions } from "./gateway_options.ts";
import { GatewayState } from "./gateway_state.ts";
import { errorResponse } from "./http/error_response.ts";
import { responseHeaders } from "./http/response_headers.ts";
import type {
  AttemptOptions,
  GatewayHost,
  NamedRoute,
  TargetAttempt,
} from "./http/gateway_host.ts";
import { GatewayRouter } from "./http/gateway_router.ts";
import type { HttpCall } from "./http/http_call.ts";
import { continueReports } from "./observe/endpoint_reports.ts";
import { GatewayMonitor } from "./observe/gateway_monitor.ts";
import { readiness } from "./observe/observed_gateway.ts";
import { observeState } from "./observe/observe_state.ts";
import { operationHandlers } from "./observe/operation_handlers.ts";
import { RequestTraces } from "./observe/request_traces.ts";
import { endTrace, startTrace, traceAttempt } from "./observe/trace_call.ts";
import { LinkedList, ListNode } from "../transport/linked_list.ts";
import type { Route } from "./routes.ts";

/**
 * A gateway. Serve its {@link GatewayApp.fetch}, or mount it in your own app. It is a Hono app, though its
 * type names only what belongs to the gateway.
 */
export interface GatewayApp extends AsyncDisposable {
  /**
   * Answers one request. It needs no `this`, so it can be passed to a server or to `mount` of Hono.
   *
   * @param connection what the server knows about the connection, e.g. the second argument of Deno's handlers
   */
  readonly fetch: (request: Request, connection?: object) => Response | Promise<Response>;
  /** Answers a request without a server, e.g. in a test; a path is enough: `app.request("/v1/models")`. */
  readonly request: (
    input: Request | string | URL,
    init?: RequestInit,
  ) => Response | Promise<Response>;
  /** Whether new calls are refused. */
  readonly isDraining: boolean;
  /** Calls in flight: waiting, or being answered. */
  readonly inFlight: number;
  /**
   * Refuses new calls from now on; `/health/ready` then answers 503. Resolves when no call is in flight.
   */
  drain(): Promise<void>;
  /**
   * Uses another pool and other options for new calls. Calls in flight continue; the old pool is closed when
   * its last one ends.
   *
   * @throws {ConfigurationError} if a route names an endpoint that does not exist; nothing has changed then
   */
  reload(pool: LLMClient, options?: GatewayOptions): void;
  /** Ends all calls, streams with an error event, and closes the pool. */
  close(): Promise<void>;
  /** Calls `observer` with the facts of each request when it has ended. Returns a function that stops that. */
  observe(observer: GatewayObserver): () => void;
}

/** A call that can be ended early. */
interface AbortableCall {
  abort(reason: FlexLLMError): void;
}

/** A call in progress. */
class OpenCall extends ListNode {
  constructor(readonly call: AbortableCall, readonly state: GatewayState) {
    super();
  }
}

/** The gateway as a Hono app. */
class HonoGateway extends Hono implements GatewayApp {
  readonly #monitor: GatewayMonitor;
  readonly #traces = new RequestTraces();
  readonly #observers = new Set<GatewayObserver>();
  readonly #calls = new LinkedList<OpenCall>();
  readonly #idle: (() => void)[] = [];
  #state: GatewayState;
  #isDraining = false;

  /**
   * Creates a gateway for the endpoints of `pool`, which it closes when it is closed itself.
   *
   * @throws {ConfigurationError} if a route names an endpoint that does not exist
   */
  constructor(pool: LLMClient, options: GatewayOptions = {}) {
    super();
    this.#state = new GatewayState(pool, options);
    this.#monitor = new GatewayMonitor(observeState(this, () => this.#state), {
      onRequest: (facts) => this.#notify(facts),
    });
    const router = new GatewayRouter(this.#createHost());
    // The first request would need files when there may be none to open. It tries again if this fails.
    router.load().catch(() => {});
    this.all("*", (context) => router.handle(context));
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  get inFlight(): number {
    return this.#calls.size;
  }

  drain(): Promise<void> {
    this.#isDraining = true;
    return this.#untilIdle();
  }

  reload(pool: LLMClient, options: GatewayOptions = {}): void {
    const old = this.#state;
    this.#state = new GatewayState(pool, options);
    continueReports(old, this.#state);
    old.retire(old.pool !== pool);
  }

  async close(): Promise<void> {
    this.#isDraining = true;
    for (const { call } of this.#calls.toArray()) call.abort(gatewayStops("stopping"));
    await this.#untilIdle();
    await this.#state.close();
  }

  /** Closes the gateway at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  observe(observer: GatewayObserver): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  #untilIdle(): Promise<void> {
    if (this.#calls.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #createHost(): GatewayHost {
    const state = () => this.#state;
    const isDraining = () => this.#isDraining;
    const monitor = this.#monitor;
    return {
      get options() {
        return state().options;
      },
      get isDraining() {
        return isDraining();
      },
      get readiness() {
        return readiness(monitor.state);
      },
      route: (model) => state().routes.get(model),
      routes: () => state().routes.all(),
      routeOf: (call) => state().routeOf(call),
      answerCall: (call) => this.#answerCall(call),
      runAttempt: (route, options, attempt) => this.#runAttempt(route, options, attempt),
      loadPrices: () => state().loadPrices(),
      report: monitor.observe,
      traces: this.#traces,
      adminHandlers: operationHandlers(monitor),
    };
  }

  async #answerCall(call: HttpCall): Promise<Response> {
    const state = this.#state;
    let flow: CallFlow;
    try {
      if (this.#isDraining) throw gatewayStops("draining");
      flow = new CallFlow(state, call, state.routeOf(call));
    } catch (error) {
      // Nothing that the client wrote, such as a model that does not exist, belongs into headers.
      const headers = responseHeaders(call.server, { id: call.id });
      const response = errorResponse(call.server, error, call.id, headers);
      this.#monitor.observe(new CallRecord(call).facts(response.status, error));
      return response;
    }
    const open = this.#enter(state, call);
    const answerer = new CallAnswerer(flow, (status, error) => {
      flow.deadlines.end();
      this.#leave(open);
      const facts = flow.record.facts(status, error);
      if (flow.trace !== undefined) {
        const { answer } = flow.record;
        const { model, finishReason } = answer ?? {};
        endTrace(flow.trace, call, flow.route, facts, { model, finishReason, content: answer });
      }
      this.#monitor.observe(facts);
    });
    return await (flow.trace === undefined
      ? answerer.answer()
      : flow.trace.run(() => answerer.answer()));
  }

  async #runAttempt<T>(
    route: NamedRoute,
    { call, tokens, check }: AttemptOptions,
    attempt: TargetAttempt<T>,
  ): Promise<T> {
    if (this.#isDraining) throw gatewayStops("draining");
    const state = this.#state;
    const { signal } = call;
    // The configuration may have been reloaded since the route was found, and its pool closed.
    const { scheduler, targets } = state.routes.get(route.name) ?? route as Route;
    const targetAt = (endpoint: EndpointClient) =>
      targets.find((target) => target.endpoint === endpoint)!;
    const deadlines = new CallDeadlines(call, call.headers);
    const trace = startTrace(call, route, "embeddings");
    let attempts = 0;
    if (trace !== undefined) {
      this.#traces.beforeEnd(call.id, (facts) => endTrace(trace, undefined, route, facts));
    }
    const open = this.#enter(state, call);
    try {
      return await scheduler.run(
        (grant) => {
          deadlines.started();
          const target = targetAt(grant.target);
          attempts++;
          if (trace === undefined) return attempt(target);
          const { endpoint, model } = target;
          return traceAttempt(trace, endpoint, { attempt: attempts, model }, () => attempt(target));
        },
        {
          signal,
          tokens: { prompt: tokens, maxCompletion: 0 },
          prepare(endpoint) {
            check(targetAt(endpoint));
            return 0;
          },
          onWait: (isRetry) => state.beginWait(deadlines, isRetry),
        },
      );
    } catch (error) {
      throw endReason(signal, error);
    } finally {
      deadlines.end();
      this.#leave(open);
    }
  }

  #enter(state: GatewayState, call: AbortableCall): OpenCall {
    const open = new OpenCall(call, state);
    this.#calls.append(open);
    state.enter();
    return open;
  }

  #leave(open: OpenCall): void {
    if (open.list === undefined) return;
    open.remove();
    open.state.leave();
    if (this.#calls.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #notify(facts: GatewayFacts): void {
    this.#traces.end(facts);
    this.#state.options.onRequest?.(facts);
    for (const observe of this.#observers) observe(facts);
  }
}

/**
 * Creates a gateway: clients of OpenAI's, Anthropic's and Gemini's formats call the endpoints of `pool`, whatever
 * formats these speak. Every endpoint is a model under its name; `routes` adds others. The gateway closes the
 * pool when it is closed itself.
 *
 * @example
 * ```ts
 * import { createGatewayApp, LLMClientPool } from "@flexllm/flexllm";
 *
 * const pool = new LLMClientPool({
 *   endpoints: [{ name: "fast", provider: "mock", model: "mock" }],
 * });
 * await using app = createGatewayApp(pool, { routes: { "gpt-5": ["fast"] } });
 * const response = await app.fetch(
 *   new Request("http://localhost/v1/chat/completions", {
 *     method: "POST",
 *     body: JSON.stringify({ model: "gpt-5", messages: [{ role: "user", content: "Hello!" }] }),
 *   }),
 * );
 * console.log(await response.json());
 * ```
 *
 * @throws {ConfigurationError} if a route names an endpoint that does not exist
 */
export function createGatewayApp(pool: LLMClient, options: GatewayOptions = {}): GatewayApp {
  return new HonoGateway(pool, options);
}
