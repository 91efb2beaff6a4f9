/**
 * Passes the calls of a client to its listeners, and to telemetry.
 *
 * @module
 */
import type { CallContent, CallFacts, CallListener } from "../chat/call_facts.ts";
import type { Message } from "../chat/messages.ts";
import type { ChatOptions } from "../chat/options.ts";
import type { Clock } from "../runtime/clock.ts";
import type { CallHooks } from "../scheduling/call_hooks.ts";
import { CallTrace } from "../telemetry/call_trace.ts";
import { activeTelemetry } from "../telemetry/telemetry.ts";
import { CallRecorder, notify } from "./call_recorder.ts";
import type { EndpointClient } from "./endpoint_client.ts";

/** The listeners of one client. */
export class CallListeners {
  readonly #listeners: CallListener[] = [];
  /** The endpoint to which calls are attributed before one is chosen. */
  readonly #first: EndpointClient;
  /** Texts that no listener may see. */
  readonly #secrets: readonly string[];
  readonly #clock: Clock;

  /** @param endpoints at least one */
  constructor(endpoints: readonly EndpointClient[], clock: Clock) {
    this.#first = endpoints[0];
    this.#secrets = endpoints.flatMap(({ secrets }) => secrets);
    this.#clock = clock;
  }

  /** Calls `listener` about each call that starts from now on. */
  add(listener: CallListener): void {
    this.#listeners.push(listener);
  }

  /** Whether there are none. */
  get isEmpty(): boolean {
    return this.#listeners.length === 0;
  }

  /** Reports a call that something else has made. */
  notify(facts: CallFacts, content: Omit<CallContent, "redact">): void {
    notify(this.#listeners, this.#secrets, facts, content);
  }

  /** The recorder of a call; `undefined` if nothing needs its facts. */
  recorder(
    messages: readonly Message[],
    options: ChatOptions,
    hooks: CallHooks | undefined,
    stream: boolean,
  ): CallRecorder | undefined {
    const telemetry = activeTelemetry();
    if (hooks?.onEnd === undefined && telemetry === undefined && this.isEmpty) return undefined;
    const model = options.model ?? this.#first.model ?? "";
    const trace = telemetry && new CallTrace(telemetry, {
      endpoint: this.#first.identity,
      model,
      stream,
      context: hooks?.trace,
    });
    return new CallRecorder({
      hooks,
      listeners: this.#listeners,
      model,
      messages,
      secrets: this.#secrets,
      clock: this.#clock,
      trace,
      options,
    });
  }
}
