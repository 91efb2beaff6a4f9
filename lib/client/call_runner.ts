/**
 * Runs a call: loads what it needs, looks it up in the cache, schedules its attempts and checks the answer.
 *
 * @module
 */
import { eventsOf } from "../chat/events.ts";
import type { ChatResult } from "../chat/result.ts";
import type { Clock } from "../runtime/clock.ts";
import { Lazy } from "../runtime/lazy.ts";
import type { Grant, Scheduler } from "../scheduling/scheduler.ts";
import { withParsed } from "./answer.ts";
import { attempt } from "./attempt.ts";
import type { CachedCalls, SentCall } from "./cached_calls.ts";
import type { Call } from "./call.ts";
import type { EndpointClient } from "./endpoint_client.ts";
import { write } from "./event_sink.ts";
import type { LimitSharing } from "./limit_sharing.ts";
import type { Metering } from "./metering.ts";

/** What calls are run with. */
export interface RunnerOptions {
  endpoints: readonly EndpointClient[];
  scheduler: Scheduler<EndpointClient>;
  sharing: LimitSharing;
  metering: Metering;
  cache: CachedCalls | undefined;
  clock: Clock;
}

/** Runs the calls of one client, plain and streamed. */
export class CallRunner {
  readonly #endpoints: readonly EndpointClient[];
  readonly #scheduler: Scheduler<EndpointClient>;
  readonly #sharing: LimitSharing;
  readonly #metering: Metering;
  readonly #cache: CachedCalls | undefined;
  /** The prices that a budget needs; loaded with the first call. */
  readonly #prices: Lazy<unknown>;
  /** Sends a call once; one function for all calls. */
  readonly #attempt: (grant: Grant<EndpointClient>, call: Call) => Promise<ChatResult>;

  constructor({ endpoints, scheduler, sharing, metering, cache, clock }: RunnerOptions) {
    this.#endpoints = endpoints;
    this.#prices = new Lazy(() => Promise.all(endpoints.map((endpoint) => endpoint.loadPricer())));
    this.#scheduler = scheduler;
    this.#sharing = sharing;
    this.#metering = metering;
    this.#cache = cache;
    this.#attempt = (grant, call) => attempt(call, grant, metering, clock);
  }

  /** Answers a call. */
  run(call: Call): Promise<ChatResult> {
    const isPrepared = !this.#metering.hasBudget && call.unloaded.length === 0;
    return isPrepared ? this.#answer(call) : this.#prepare(call);
  }

  /** Loads prices and attachments first. */
  async #prepare(call: Call): Promise<ChatResult> {
    if (this.#metering.hasBudget) await this.#prices.get();
    if (call.unloaded.length > 0) await call.loadAttachments();
    return await this.#answer(call);
  }

  #answer(call: Call): Promise<ChatResult> {
    const cache = this.#cache;
    if (cache === undefined || call.options.cache === false) return this.#send(call);
    return this.#lookUp(call, cache);
  }

  /** Answers a call from the cache, or sends it. */
  async #lookUp(call: Call, cache: CachedCalls): Promise<ChatResult> {
    const { recorder } = call;
    const send = async (): Promise<SentCall> => {
      recorder?.lookedUp(false);
      const result = await this.#send(call);
      return { result, encoded: call.encoded! };
    };
    const encodings = call.encodeAll(this.#endpoints);
    recorder?.lookingUp();
    const result = call.events === undefined
      ? await cache.complete(encodings, send, call.signal)
      : await cache.stream(encodings, send);
    recorder?.lookedUp(result.cached);
    if (result.cached && call.events !== undefined) await write(call.events, eventsOf(result));
    return result;
  }

  /** Sends a call, retries it, and parses a structured answer. */
  #send(call: Call): Promise<ChatResult> {
    return this.#sharing.isPending ? this.#connectAndSend(call) : this.#schedule(call);
  }

  async #connectAndSend(call: Call): Promise<ChatResult> {
    await this.#sharing.connect();
    return await this.#schedule(call);
  }

  #schedule(call: Call): Promise<ChatResult> {
    call.recorder?.waiting();
    const answer = this.#scheduler.run(this.#attempt, call);
    const { responseFormat } = call.options;
    return responseFormat === undefined ? answer : withParsed(answer, responseFormat);
  }
}
