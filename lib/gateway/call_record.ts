/**
 * Records the facts of one call to the gateway while it is in progress.
 *
 * @module
 */
import type { Usage } from "../usage.ts";
import type { EndpointClient } from "../client/endpoint_client.ts";
import type { RecordedAnswer } from "../telemetry/message_content.ts";
import { failureFacts } from "../client/failure_facts.ts";
import type { GatewayFacts } from "./gateway_facts.ts";
import type { HttpCall } from "./http/http_call.ts";

/** What a call can wait for. The gateway does not add this time. */
type Wait = "queue" | "upstream" | "reader";

/** The facts of one call so far. Times are in milliseconds of `performance.now()`. */
export class CallRecord {
  readonly #call: HttpCall;
  route: string | undefined;
  endpoint: EndpointClient | undefined;
  model: string | undefined;
  lane: "native" | "translated" | undefined;
  cache: GatewayFacts["cache"] = "off";
  attempts = 0;
  retries = 0;
  fallbacks = 0;
  usage: Usage | null = null;
  /** The answer, for the span of the call. */
  answer: RecordedAnswer & { model?: string } | undefined;
  /** Cost of the answer and of failed attempts in USD; `null` if it is unknown. */
  cost: number | null = 0;
  /** The head of the response to the last attempt; `undefined` if none has arrived. */
  response: { status: number; headers: Headers } | undefined;
  #queued = 0;
  #elsewhere = 0;
  #wait: Wait | undefined;
  #waitingSince = 0;
  #sentAt = 0;
  #firstToken: number | undefined;

  constructor(call: HttpCall) {
    this.#call = call;
  }

  /** Begins to wait for something, instead of what it waited for before. */
  waitFor(wait: Wait | undefined): void {
    const now = performance.now();
    if (this.#wait === "queue") this.#queued += now - this.#waitingSince;
    if (this.#wait !== undefined) this.#elsewhere += now - this.#waitingSince;
    this.#wait = wait;
    this.#waitingSince = now;
  }

  /** Records that an attempt is sent. */
  sending(endpoint: EndpointClient, model: string, lane: "native" | "translated"): void {
    if (this.attempts++ > 0) {
      if (endpoint === this.endpoint) this.retries++;
      else this.fallbacks++;
    }
    this.endpoint = endpoint;
    this.model = model;
    this.lane = lane;
    this.#firstToken = undefined;
    this.response = undefined;
    this.waitFor("upstream");
    this.#sentAt = this.#waitingSince;
  }

  /** Records the first content of a stream. */
  firstToken(): void {
    this.#firstToken ??= performance.now() - this.#sentAt;
  }

  /** Adds the cost of the answer, or of a failed attempt. */
  addCost(cost: number | null): void {
    this.cost = cost === null || this.cost === null ? null : this.cost + cost;
  }

  /** Milliseconds that the gateway has added so far. */
  get overhead(): number {
    const now = performance.now();
    const waiting = this.#wait === undefined ? 0 : now - this.#waitingSince;
    return Math.max(0, now - this.#call.startedAt - this.#elsewhere - waiting);
  }

  /** The facts of the call, which has ended with a `status` and perhaps an error. */
  facts(status: number | undefined, error: unknown): GatewayFacts {
    this.waitFor(undefined);
    const call = this.#call;
    const duration = performance.now() - call.startedAt;
    const { endpoint } = this;
    const facts: GatewayFacts = {
      id: call.id,
      at: Date.now() - duration,
      method: call.httpRequest.method,
      path: call.path,
      operation: call.context.operation,
      format: call.protocol.name,
      requestedModel: call.model,
      stream: call.stream,
      queued: this.#queued / 1000,
      attempts: this.attempts,
      retries: this.retries,
      fallbacks: this.fallbacks,
      duration: duration / 1000,
      overhead: (duration - this.#elsewhere) / 1000,
      cache: this.cache,
      usage: this.usage,
      cost: this.cost,
      outcome: "success",
    };
    if (status !== undefined) facts.status = status;
    if (call.caller.name !== "") facts.key = call.caller.name;
    if (call.caller.team !== undefined) facts.team = call.caller.team;
    if (this.route !== undefined) facts.route = this.route;
    if (endpoint !== undefined) facts.endpoint = endpoint.routeName ?? endpoint.name;
    if (this.model !== undefined) facts.model = this.model;
    if (this.lane !== undefined) facts.lane = this.lane;
    if (this.#firstToken !== undefined) facts.firstToken = this.#firstToken / 1000;
    return error === undefined
      ? facts
      : Object.assign(facts, failureFacts(error, endpoint?.secrets));
  }
}
