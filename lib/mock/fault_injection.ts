/**
 * Fault injection for the mock: rate limits, failures, delays.
 *
 * @module
 */
import type { MockErrorKind } from "./error_kinds.ts";
import type { MockSettings } from "./options.ts";
import type { RequestLimit } from "./protocol.ts";
import { between, seededRandom } from "../runtime/random.ts";
import { RequestRate } from "./request_rate.ts";

/** A failure, with the milliseconds until a retry if the server reports them. */
export interface Failure {
  kind: MockErrorKind;
  message: string;
  wait?: number;
}

/** The faults of one mock; the same seed gives the same ones. */
export class FaultInjector {
  readonly #settings: MockSettings;
  readonly #rate: RequestRate;
  readonly #random: () => number;

  constructor(settings: MockSettings) {
    this.#settings = settings;
    this.#rate = new RequestRate(settings.rps);
    this.#random = seededRandom(settings.seed);
  }

  /** The failure of the next request; `undefined` when it has none. */
  failure(): Failure | undefined {
    const { rps, errorRate, errorKinds } = this.#settings;
    const wait = rps === Infinity ? undefined : this.#rate.take(performance.now());
    if (wait !== undefined) {
      return { kind: "rate_limit", message: `Rate limit reached: ${rps} requests a second`, wait };
    }
    if (errorRate === 0 || this.#random() >= errorRate) return undefined;
    const kind = errorKinds[Math.floor(this.#random() * errorKinds.length)];
    const message = `The mock server was told to fail (${kind})`;
    return kind === "rate_limit" ? { kind, message, wait: 1000 } : { kind, message };
  }

  /** The state of the request limit; `undefined` when there is none. */
  limit(): RequestLimit | undefined {
    return this.#settings.rps === Infinity ? undefined : this.#rate.state(performance.now());
  }

  /** Milliseconds before the answer begins. */
  delay(): number {
    return this.#draw(this.#settings.delay);
  }

  /** Milliseconds between the beginning of a stream and its first token. */
  firstToken(): number {
    return this.#draw(this.#settings.firstToken);
  }

  #draw(range: readonly [number, number]): number {
    return range[1] === 0 ? 0 : between(this.#random, range) * 1000;
  }
}
