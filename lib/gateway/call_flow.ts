/**
 * Takes one call through the gateway: from its route and the cache through its admission to the attempts, and
 * back to the client.
 *
 * @module
 */
import type { CacheRequest } from "../cache/response_cache.ts";
import { answerCountOf, maxTokensOf } from "../chat/max_tokens.ts";
import type { EndpointClient } from "../client/endpoint_client.ts";
import type { FlexLLMError } from "../errors.ts";
import type { Grant } from "../scheduling/grant.ts";
import type { RunOptions } from "../scheduling/ticket.ts";
import type { TokenDemand } from "../scheduling/token_limiter.ts";
import type { Access, Admission } from "./access.ts";
import { type BodySize, bodySize } from "./body_size.ts";
import { CallCost } from "./call_cost.ts";
import { CallDeadlines } from "./call_deadline.ts";
import { isSelfContained } from "./cached_answers.ts";
import { CallRecord } from "./call_record.ts";
import { endReason } from "./end_reasons.ts";
import { laneOf } from "./lane_choice.ts";
import { observeAttempt } from "./observe_attempt.ts";
import type { CallTrace } from "../telemetry/call_trace.ts";
import { startTrace, traceAttempt } from "./observe/trace_call.ts";
import type { GatewayState } from "./gateway_state.ts";
import type { HttpCall } from "./http/http_call.ts";
import type { Lane, LaneRequest } from "./lane.ts";
import type { Route } from "./routes.ts";

/** A call, encoded for an endpoint. */
export interface EncodedFor {
  readonly lane: Lane;
  readonly request: LaneRequest;
}

/** Allowance for the rounding of dollars. */
const ROUNDING = 1e-12;

const UNKNOWN: BodySize = { tokens: 0, hasAttachments: true };

/** One call on its way. */
export class CallFlow implements RunOptions<EndpointClient> {
  readonly signal: AbortSignal;
  readonly record: CallRecord;
  readonly prefers: EndpointClient | undefined;
  readonly tokens: TokenDemand;
  readonly deadlines: CallDeadlines;
  admission: Admission | undefined = undefined;
  /** The span of the call, if something listens. */
  readonly trace: CallTrace | undefined;
  /** Headers of the provider whose stream the client gets. */
  streamHeaders: Record<string, string> | undefined = undefined;
  #size: BodySize | undefined;
  #last: EncodedFor | undefined;
  #encodings: Map<EndpointClient, EncodedFor> | undefined;

  constructor(
    readonly state: GatewayState,
    readonly call: HttpCall,
    readonly route: Route,
  ) {
    this.signal = call.signal;
    this.record = new CallRecord(call);
    this.record.route = route.name;
    this.trace = startTrace(call, route);
    this.deadlines = new CallDeadlines(call, call.headers);
    this.prefers = state.preferred(call, route);
    this.tokens = this.#isEstimated
      ? { prompt: this.promptTokens, maxCompletion: this.maxTokens }
      : { prompt: 0, maxCompletion: undefined };
  }

  /** The error that ended the call: a call that was aborted ends with the reason. */
  reasonOf<E>(error: E): E | FlexLLMError {
    return endReason(this.signal, error);
  }

  get #isEstimated(): boolean {
    return this.state.pipeline.metering.estimates;
  }

  /** The size of the body, from which its tokens are estimated. */
  get promptSize(): number {
    return (this.#size ??= bodySize(this.call.body)).tokens;
  }

  /** The estimated input tokens. */
  get promptTokens(): number {
    return this.state.pipeline.metering.promptTokens(this.promptSize);
  }

  /** The maximum output tokens of one answer, if the request limits them. */
  get maxTokens(): number | undefined {
    return maxTokensOf({ extraBody: this.call.body });
  }

  /** Whether the reported tokens of the prompt can be compared with the size of the body. */
  get isMeasurable(): boolean {
    return !(this.#size ?? UNKNOWN).hasAttachments && isSelfContained(this.call.body);
  }

  /** The call in the form that the pool's metering takes. */
  get metered(): { promptSize: number; options: { extraBody: Record<string, unknown> } } {
    return { promptSize: this.promptSize, options: { extraBody: this.call.body } };
  }

  /** Prepares an attempt at an endpoint. Returns its maximum cost there for the pool's own budget. */
  prepare(endpoint: EndpointClient): number {
    const { request } = this.encode(endpoint);
    const { metering } = this.state.pipeline;
    if (!metering.hasBudget) return 0;
    return metering.maxCost(this.metered, endpoint, request.model) * this.#choices;
  }

  /**
   * The call in the form in which an endpoint gets it; encoded at first use.
   *
   * @throws {GatewayError} if the endpoint's format cannot carry it
   */
  encode(endpoint: EndpointClient): EncodedFor {
    if (this.#last?.request.endpoint === endpoint) return this.#last;
    const known = this.#encodings?.get(endpoint);
    if (known !== undefined) return this.#last = known;
    const lane = laneOf(this.call, endpoint);
    const encoded = { lane, request: lane.encode(this.call, endpoint) };
    if (this.#last !== undefined) {
      (this.#encodings ??= new Map([[this.#last.request.endpoint, this.#last]]))
        .set(endpoint, encoded);
    }
    return this.#last = encoded;
  }

  /** Begins to wait for an endpoint, unless too many calls do. */
  onWait(isRetry: boolean): void {
    this.state.beginWait(this.deadlines, isRetry);
    this.record.waitFor("queue");
  }

  /** Runs `attempt` within the limits of the key and of the endpoints, again after transient failures. */
  async run<R>(attempt: (grant: Grant<EndpointClient>) => Promise<R>): Promise<R> {
    const { access, pipeline } = this.state;
    const { record } = this;
    try {
      // The limits of the endpoints may be shared with other processes.
      if (pipeline.sharing.isPending) await pipeline.sharing.connect();
      if (this.call.caller.isMetered || pipeline.metering.hasBudget) {
        const loading = this.state.loadPrices();
        if (loading !== undefined) await loading;
      }
      if (access !== undefined) {
        record.waitFor("queue");
        this.admission = await this.#admit(access);
        record.waitFor(undefined);
      }
      return await this.route.scheduler.run(async (grant) => {
        record.waitFor(undefined);
        this.deadlines.started();
        // The attempt before may have used up what was reserved.
        if (record.attempts > 0) await this.admission?.renew(this.signal);
        const { onAttempt } = this.state.options;
        const send = this.#traced(grant.target, () => attempt(grant));
        if (onAttempt === undefined) return await send();
        return await observeAttempt(send, this.call.id, record, onAttempt);
      }, this);
    } finally {
      record.waitFor(undefined);
      this.deadlines.end();
      this.admission?.release();
    }
  }

  #traced<R>(target: EndpointClient, attempt: () => Promise<R>): () => Promise<R> {
    const { trace, record } = this;
    if (trace === undefined) return attempt;
    return () => {
      const { request: { model } } = this.encode(target);
      return traceAttempt(trace, target, { attempt: record.attempts + 1, model }, attempt);
    };
  }

  async #admit(access: Access): Promise<Admission> {
    const { call, route } = this;
    const { caller } = call;
    if (!caller.isMetered) {
      const demand = { route: route.name, promptTokens: 0, completionTokens: 0, cost: 0 };
      return access.admit(caller, demand, this.signal);
    }
    const { metering } = this.state.pipeline;
    const { promptTokens, maxTokens } = this;
    const longest = metering.completionTokens(maxTokens);
    const costs = new CallCost(call, route.targets, promptTokens);
    const range = costs.range(maxTokens, longest) ?? { cost: null };
    const completionTokens = longest * this.#choices;
    const demand = { route: route.name, promptTokens, completionTokens, ...range };
    const admission = await access.admit(caller, demand, this.signal);
    const { allowance } = admission;
    const isLimited = maxTokens === undefined && allowance !== undefined && range.cost !== null &&
      allowance < range.cost * (1 - ROUNDING);
    if (isLimited) call.outputLimit = costs.tokensFor(allowance);
    return admission;
  }

  get #choices(): number {
    return answerCountOf(this.call.body);
  }

  /** Remembers where an answer of the Responses API may be stored, if a later call could go elsewhere. */
  remember({ encoded: { request }, raw }: { encoded: EncodedFor; raw: unknown }): void {
    const { protocol, endpoint } = request;
    if (protocol.name !== "responses" || this.route.endpoints.length === 1) return;
    this.route.storedResponses.add(raw, endpoint);
  }

  /** What the cache needs to know about the call; `undefined` if it cannot answer it. */
  cacheRequest(): CacheRequest | undefined {
    return this.state.cacheRequest(this.call, this.route);
  }
}
