/**
 * Ends calls that wait too long in the queue, or longer than their client waits.
 *
 * @module
 */
import type { FlexLLMError } from "../errors.ts";
import { type Deadline, deadlinesOf } from "../transport/deadlines.ts";
import { GatewayError } from "./gateway_error.ts";

/** Something that can be ended early. */
interface Abortable {
  abort(reason: FlexLLMError): void;
}

/** Ends `call` after `seconds`. */
function startDeadline(seconds: number, call: Abortable, reason: () => FlexLLMError): Deadline {
  return deadlinesOf(seconds).add({ expire: () => call.abort(reason()) });
}

/** Hints of clients beyond this, in seconds, are ignored: each distinct value has its own timer. */
const MAX_HINT = 3600;

/** The time limit that OpenAI's and Anthropic's clients announce, in whole seconds. */
function clientTimeout(headers: Headers): number | undefined {
  const header = headers.get("x-stainless-timeout");
  if (header === null) return undefined;
  const seconds = Math.ceil(Number(header));
  return seconds > 0 && seconds <= MAX_HINT ? seconds : undefined;
}

/** The deadlines of one call. */
export class CallDeadlines {
  readonly #call: Abortable;
  #client: Deadline | undefined;
  #wait: Deadline | undefined;
  #waitingSince = 0;
  /** Milliseconds of all waits that have ended. */
  #waited = 0;

  constructor(call: Abortable, headers: Headers) {
    this.#call = call;
    const seconds = clientTimeout(headers);
    if (seconds === undefined) return;
    this.#client = startDeadline(
      seconds,
      call,
      () =>
        new GatewayError(504, `no answer within the ${seconds} s that the client waits`, {
          reason: "timeout",
          hint: "Raise the timeout of the client.",
        }),
    );
  }

  /** Begins to limit the wait for an endpoint: all waits of the call together. */
  waiting(seconds: number): void {
    if (this.#wait !== undefined) return;
    this.#waitingSince = performance.now();
    // Whole seconds, since each distinct value has its own timer.
    const left = this.#waited === 0
      ? seconds
      : Math.max(1, Math.ceil(seconds - this.#waited / 1000));
    this.#wait = startDeadline(
      left,
      this.#call,
      () =>
        new GatewayError(429, `no endpoint was free within ${seconds} s`, {
          reason: "queue_timeout",
          retryAfter: 5,
          hint: "Send fewer calls at once, or raise the concurrency of the endpoints.",
        }),
    );
  }

  /** Ends that limit: an endpoint was found. */
  started(): void {
    if (this.#wait === undefined) return;
    this.#wait.remove();
    this.#wait = undefined;
    this.#waited += performance.now() - this.#waitingSince;
  }

  /** The client's limit is met: its answer has begun. */
  answered(): void {
    this.#client?.remove();
  }

  /** Ends all limits. */
  end(): void {
    this.#wait?.remove();
    this.#client?.remove();
  }
}
