/**
 * Records the facts of one call and passes them to its observers when it ends.
 *
 * @module
 */
import type { CallFacts } from "../chat/call_facts.ts";
import type { StreamEvent } from "../chat/events.ts";
import type { ChatResult } from "../chat/result.ts";
import { SchemaMismatchError } from "../chat/schema_mismatch_error.ts";
import { AbortedError, FlexLLMError } from "../errors.ts";
import type { Clock } from "../runtime/clock.ts";

/** Called with the facts of a call when it has ended. */
export type CallObserver = (facts: CallFacts) => void;

/** Events without content, which do not count as a first token. */
const META: ReadonlySet<StreamEvent["type"]> = new Set(["usage", "finish"]);

/** The recorder of one call; only created if there are observers. */
export class CallRecorder {
  readonly #clock: Clock;
  readonly #observers: readonly CallObserver[];
  readonly #at = Date.now();
  readonly #startedAt: number;
  #model: string;
  #endpoint: string | undefined;
  #queued = 0;
  /** When the call began to wait; `undefined` while it does not wait. */
  #waitingSince: number | undefined;
  #attempts = 0;
  #sentAt = NaN;
  #firstTokenAt = NaN;

  /** @param model the requested model; replaced by that of the endpoint when a request is sent */
  constructor(observers: readonly CallObserver[], model: string, clock: Clock) {
    this.#observers = observers;
    this.#model = model;
    this.#clock = clock;
    this.#startedAt = clock.now();
  }

  /** Records that the call starts to wait, in the queue or after a failed attempt. */
  waiting(): void {
    this.#waitingSince = this.#clock.now();
  }

  /** Records that a request is sent. */
  sending(model: string, endpoint: string): void {
    this.#endWaiting();
    this.#model = model;
    this.#endpoint = endpoint;
    this.#attempts++;
    this.#sentAt = this.#clock.now();
    this.#firstTokenAt = NaN;
  }

  /** Records that the request was answered, or that it failed for good. */
  sent(): void {
    this.#endWaiting();
  }

  /** Records events of a stream. */
  received(events: readonly StreamEvent[]): void {
    if (!Number.isNaN(this.#firstTokenAt) || events.every(({ type }) => META.has(type))) return;
    this.#firstTokenAt = this.#clock.now();
  }

  /** Settles like `call`, after reporting the facts. */
  async follow(call: Promise<ChatResult>): Promise<ChatResult> {
    let result: ChatResult;
    try {
      result = await call;
    } catch (error) {
      this.failed(error);
      throw error;
    }
    this.#report(result, "success");
    return result;
  }

  /** Reports the facts of a call that failed. */
  failed(error: unknown): void {
    const { usage = null, cost = 0 } =
      (error instanceof SchemaMismatchError ? error.result : undefined) ??
        (error instanceof FlexLLMError ? error.partial : undefined) ?? {};
    const outcome = error instanceof AbortedError ? "aborted" : "error";
    const errorCode = error instanceof FlexLLMError ? error.code : "internal";
    this.#report({ usage, cost, cached: false }, outcome, errorCode);
  }

  #endWaiting(): void {
    if (this.#waitingSince === undefined) return;
    this.#queued += this.#clock.now() - this.#waitingSince;
    this.#waitingSince = undefined;
  }

  #report(
    { usage, cost, cached }: Pick<ChatResult, "usage" | "cost" | "cached">,
    outcome: CallFacts["outcome"],
    errorCode?: CallFacts["errorCode"],
  ): void {
    this.#endWaiting();
    const facts: CallFacts = {
      at: this.#at,
      model: this.#model,
      queued: this.#queued / 1000,
      attempts: this.#attempts,
      duration: (this.#clock.now() - this.#startedAt) / 1000,
      usage,
      cost,
      cached,
      outcome,
    };
    if (this.#endpoint !== undefined) facts.endpoint = this.#endpoint;
    if (!Number.isNaN(this.#firstTokenAt)) {
      facts.firstToken = (this.#firstTokenAt - this.#sentAt) / 1000;
    }
    if (errorCode !== undefined) facts.errorCode = errorCode;
    for (const observe of this.#observers) observe(facts);
  }
}
