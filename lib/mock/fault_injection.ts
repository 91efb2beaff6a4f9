/**
 * Fault injection for the mock: rate limits, failures, delays.
 *
 * @module
 */
import type { RequestLimit } from "../protocols/serve.ts";
import { between, seededRandom } from "../runtime/random.ts";
import type { MockErrorKind } from "./error_kinds.ts";
import type { MockSettings } from "./options.ts";
import { RequestRate } from "./request_rate.ts";

/** An injected error. */
export interface MockError {
  kind: MockErrorKind;
  message: string;
  /** Seconds until a retry, if the server reports them. */
  retryAfter?: number;
}

/** Decides which requests fail and how long they wait. The same seed gives the same faults. */
export class FaultInjector {
  readonly #settings: MockSettings;
  readonly #rate: RequestRate;
  readonly #random: () => number;

  constructor(settings: MockSettings) {
    this.#settings = settings;
    this.#rate = new RequestRate(settings.rps);
    this.#random = seededRandom(settings.seed);
  }

  /** The error of the next request; `undefined` if it succeeds. */
  nextError(): MockError | undefined {
    const { rps, errorRate, errorKinds } = this.#settings;
    const wait = rps === Infinity ? undefined : this.#rate.take(performance.now());
    if (wait !== undefined) {
      const message = `Rate limit reached: ${rps} requests per second`;
      return { kind: "rate_limit", message, retryAfter: wait / 1000 };
    }
    if (errorRate === 0 || this.#random() >= errorRate) return undefined;
    const kind = errorKinds[Math.floor(this.#random() * errorKinds.length)];
    const message = `Error injected by the mock server (${kind})`;
    return kind === "rate_limit" ? { kind, message, retryAfter: 1 } : { kind, message };
  }

  /** The state of the request limit; `undefined` without one. */
  limit(): RequestLimit | undefined {
    return this.#settings.rps === Infinity ? undefined : this.#rate.state(performance.now());
  }

  /** Milliseconds before an answer starts. */
  delay(): number {
    return this.#draw(this.#settings.delay);
  }

  /** Milliseconds between the start of a stream and its first token. */
  firstToken(): number {
    return this.#draw(this.#settings.firstToken);
  }

  #draw(range: readonly [number, number]): number {
    return range[1] === 0 ? 0 : between(this.#random, range) * 1000;
  }
}
