/**
 * Records the facts of one call and passes them to its listeners when it ends.
 *
 * @module
 */
import type { AttemptFacts, CallContent, CallFacts, CallListener } from "../chat/call_facts.ts";
import type { StreamEvent } from "../chat/events.ts";
import type { Message } from "../chat/messages.ts";
import type { ChatResult } from "../chat/result.ts";
import { SchemaMismatchError } from "../chat/schema_mismatch_error.ts";
import { FlexLLMError } from "../errors.ts";
import { asObject } from "../json/json.ts";
import { redact } from "../redact.ts";
import type { Clock } from "../runtime/clock.ts";
import type { CallHooks } from "../scheduling/call_hooks.ts";
import type { SamplingOptions } from "../chat/options.ts";
import type { AttemptTrace } from "../telemetry/attempt_trace.ts";
import type { CallAnswer, CallTrace } from "../telemetry/call_trace.ts";
import type { EndpointIdentity } from "../telemetry/request_attributes.ts";
import { failureFacts } from "./failure_facts.ts";
import { shownHeaders } from "./shown_headers.ts";

const SUCCESS = { outcome: "success" } as const;

/** Events without content, which do not count as a first token. */
const META: ReadonlySet<StreamEvent["type"]> = new Set(["usage", "finish"]);

/** Distinguishes the calls of this process from those of others. */
const PROCESS = Math.random().toString(36).slice(2, 8).padEnd(6, "0");
let calls = 0;

/** What a call is observed with. */
export interface RecorderOptions {
  /** The hooks of the call: its index in a batch, and `onEnd`. */
  hooks: CallHooks | undefined;
  listeners: readonly CallListener[];
  /** The requested model; replaced by that of the endpoint when a request is sent. */
  model: string;
  messages: readonly Message[];
  /** Texts to remove from error messages. */
  secrets: readonly string[];
  clock: Clock;
  /** The spans and metrics of the call, if something listens to them. */
  trace: CallTrace | undefined;
  /** The options of the call. */
  options: SamplingOptions;
}

/** What a call received, for its span. */
function answerOf({ result, cause }: Pick<CallContent, "result" | "cause">): CallAnswer {
  const answer = result ?? (cause instanceof SchemaMismatchError ? cause.result : undefined);
  if (answer === undefined) {
    const partial = cause instanceof FlexLLMError ? cause.partial : undefined;
    return { content: partial };
  }
  const { raw, model, finishReason } = answer;
  const id = asObject(raw)?.id;
  return { id: typeof id === "string" ? id : undefined, model, finishReason, content: answer };
}

/** Calls the listeners about a call that has ended; `secrets` are removed from what they read. */
export function notify(
  listeners: readonly CallListener[],
  secrets: readonly string[],
  facts: CallFacts,
  received: Omit<CallContent, "redact">,
): void {
  const content: CallContent = { ...received, redact: (text) => redact(text, ...secrets) };
  for (const { onCall } of listeners) {
    try {
      onCall?.(facts, content);
    } catch {
      // A listener must not break what it listens to.
    }
  }
}

/** The recorder of one call; only created if something needs its facts. */
export class CallRecorder {
  readonly #options: RecorderOptions;
  readonly #clock: Clock;
  readonly #listensToAttempts: boolean;
  readonly #id = `${PROCESS}-${(++calls).toString(36)}`;
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
  #status: number | undefined;
  #headers: Record<string, string> | undefined;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#model = options.model;
    this.#clock = options.clock;
    this.#startedAt = options.clock.now();
    this.#listensToAttempts = options.listeners.some(({ onAttempt }) => onAttempt !== undefined);
  }

  /** Records that the call starts to wait, in the queue or after a failed attempt. */
  waiting(): void {
    this.#waitingSince = this.#clock.now();
  }

  /** Runs `work`, the call itself, as a part of its span. */
  run<T>(work: () => T): T {
    const { trace } = this.#options;
    return trace === undefined ? work() : trace.run(work);
  }

  /** Records that the response cache is asked. */
  lookingUp(): void {
    this.#options.trace?.lookingUp();
  }

  /** Records whether it had an answer. */
  lookedUp(isHit: boolean): void {
    this.#options.trace?.lookedUp(isHit);
  }

  /** Records that a request is sent. Returns its span, within which it has to be sent. */
  sending(
    model: string,
    { name, identity }: { name: string; identity: EndpointIdentity },
  ): AttemptTrace | undefined {
    this.#endWaiting();
    this.#model = model;
    this.#endpoint = name;
    this.#attempts++;
    this.#sentAt = this.#clock.now();
    this.#firstTokenAt = NaN;
    this.#status = undefined;
    this.#headers = undefined;
    return this.#options.trace?.attempt({ attempt: this.#attempts, model, endpoint: identity });
  }

  /** Records the head of the response. */
  responded(response: { status: number; headers: Headers }): void {
    this.#status = response.status;
    // Creating the headers takes time.
    if (this.#listensToAttempts) this.#headers = shownHeaders(response.headers);
  }

  /** Records that the attempt has ended, with an error if it failed. */
  attempted(error?: unknown): void {
    const { trace } = this.#options;
    if (!this.#listensToAttempts && trace === undefined) return;
    const ending: Pick<AttemptFacts, "outcome" | "errorCode" | "error"> = error === undefined
      ? SUCCESS
      : failureFacts(error, this.#options.secrets);
    trace?.lastAttempt?.end({ status: this.#status, ...ending });
    if (!this.#listensToAttempts) return;
    const seconds = (this.#clock.now() - this.#sentAt) / 1000;
    const facts: AttemptFacts = {
      id: this.#id,
      at: Math.round(Date.now() - seconds * 1000),
      attempt: this.#attempts,
      model: this.#model,
      endpoint: this.#endpoint!,
      duration: seconds,
      ...ending,
    };
    const { hooks, listeners } = this.#options;
    const index = hooks?.index;
    if (index !== undefined) facts.index = index;
    if (this.#status !== undefined) facts.status = this.#status;
    if (this.#headers !== undefined) facts.headers = this.#headers;
    const firstToken = this.#firstToken;
    if (firstToken !== undefined) facts.firstToken = firstToken;
    for (const { onAttempt } of listeners) {
      try {
        onAttempt?.(facts);
      } catch {
        // A listener must not break what it listens to.
      }
    }
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
    this.answered(result);
    return result;
  }

  /** Reports the facts of a call that was answered. */
  answered(result: ChatResult): void {
    this.#report(result, SUCCESS, { result });
  }

  /** Reports the facts of a call that failed. */
  failed(error: unknown): void {
    const { usage = null, cost = 0 } =
      (error instanceof SchemaMismatchError ? error.result : undefined) ??
        (error instanceof FlexLLMError ? error.partial : undefined) ?? {};
    this.#report({ usage, cost, cached: false }, failureFacts(error, this.#options.secrets), {
      cause: error,
    });
  }

  /** Seconds from sending the last attempt to its first content. */
  get #firstToken(): number | undefined {
    return Number.isNaN(this.#firstTokenAt)
      ? undefined
      : (this.#firstTokenAt - this.#sentAt) / 1000;
  }

  #endWaiting(): void {
    if (this.#waitingSince === undefined) return;
    this.#queued += this.#clock.now() - this.#waitingSince;
    this.#waitingSince = undefined;
  }

  #report(
    { usage, cost, cached }: Pick<ChatResult, "usage" | "cost" | "cached">,
    ending: Pick<CallFacts, "outcome" | "errorCode" | "error">,
    received: Pick<CallContent, "result" | "cause">,
  ): void {
    this.#endWaiting();
    const { hooks, listeners } = this.#options;
    const facts: CallFacts = {
      id: this.#id,
      at: this.#at,
      model: this.#model,
      queued: this.#queued / 1000,
      attempts: this.#attempts,
      duration: (this.#clock.now() - this.#startedAt) / 1000,
      usage,
      cost,
      cached,
      ...ending,
    };
    if (hooks?.index !== undefined) facts.index = hooks.index;
    if (this.#endpoint !== undefined) facts.endpoint = this.#endpoint;
    const firstToken = this.#firstToken;
    if (firstToken !== undefined) facts.firstToken = firstToken;
    this.#options.trace?.end(
      { ...facts, redact: (text) => redact(text, ...this.#options.secrets) },
      () => this.#options,
      () => answerOf(received),
    );
    hooks?.onEnd?.(facts);
    const { messages, secrets } = this.#options;
    if (listeners.length > 0) notify(listeners, secrets, facts, { messages, ...received });
  }
}
