/**
 * Collects the facts about all requests to a gateway: counts, metrics, traffic and recent errors.
 *
 * @module
 */
import type { GatewayFacts, GatewayObserver } from "../gateway_facts.ts";
import type { ObservedGateway } from "./observed_gateway.ts";
import { GatewayMetrics } from "./metrics.ts";
import { type RecentError, RecentErrors } from "./recent_errors.ts";
import { addToTotals, type GatewayTotals, noTotals } from "./totals.ts";
import { Traffic, type TrafficMinute } from "./traffic.ts";

/** The options of a {@link GatewayMonitor}. */
export interface MonitorOptions {
  /** Also called with the facts of each request. What it throws is ignored. */
  onRequest?: GatewayObserver;
  /**
   * The time of day, in milliseconds since 1970.
   *
   * @default Date.now
   */
  now?: () => number;
}

/** Collects the facts about the requests to one gateway. */
export class GatewayMonitor {
  /** The state of the gateway. */
  readonly state: ObservedGateway;
  readonly metrics: GatewayMetrics;
  /** When the gateway was created, in milliseconds since 1970. */
  readonly startedAt: number;
  readonly #now: () => number;
  readonly #onRequest: GatewayObserver | undefined;
  readonly #totals = noTotals();
  readonly #traffic = new Traffic();
  readonly #errors = new RecentErrors();

  /** Starts to collect. `state` is read when a report is requested. */
  constructor(state: ObservedGateway, { onRequest, now = Date.now }: MonitorOptions = {}) {
    this.state = state;
    this.metrics = new GatewayMetrics(state);
    this.#onRequest = onRequest;
    this.#now = now;
    this.startedAt = now();
  }

  /** The time of day, in milliseconds since 1970. */
  now(): number {
    return this.#now();
  }

  /** Adds a request that has ended. Never throws: the answer has been sent. */
  readonly observe: GatewayObserver = (facts: GatewayFacts): void => {
    const now = this.#now();
    addToTotals(this.#totals, facts);
    this.#traffic.add(facts, now);
    this.#errors.add(facts, now);
    this.metrics.add(facts);
    try {
      this.#onRequest?.(facts);
    } catch {
      // An observer must not break what it observes.
    }
  };

  /** Counts since the start. */
  get totals(): Readonly<GatewayTotals> {
    return { ...this.#totals };
  }

  /** The last hour, minute by minute, oldest first. */
  get traffic(): TrafficMinute[] {
    return this.#traffic.read(this.#now());
  }

  /** The most recent errors, newest first. */
  get recentErrors(): RecentError[] {
    return this.#errors.read();
  }
}
