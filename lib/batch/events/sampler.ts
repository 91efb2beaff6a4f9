/**
 * Turns the counts of a running batch and the states of its endpoints into periods and marks.
 *
 * Compares each sample with the one before, so that nothing has to be counted per record.
 *
 * @module
 */
import { FlexLLMError } from "../../errors.ts";
import { type BatchSummary, emptySummary } from "../summary.ts";
import type { EventLine, MarkLine, PeriodLine } from "./event_lines.ts";
import { addCounts, periodStart, roundedCost } from "./timeline.ts";

/** The state of an endpoint that is sampled. */
export interface SampledEndpoint {
  /** The base URL without secrets. */
  name: string;
  state: "up" | "cooling" | "down" | "probing";
  /** Requests that it has refused with a 429 so far. */
  rateLimited: number;
}

/** What is sampled. */
export interface SampledBatch {
  /** The counts of the batch so far. */
  summary(): BatchSummary;
  /** Requests in flight. */
  inFlight(): number;
  /** Records that wait for an endpoint. */
  waiting(): number;
  /** The endpoints, always the same ones in the same order. */
  endpoints(): readonly SampledEndpoint[];
}

/** The length of a period in seconds. */
const PERIOD = 1;

function difference(
  now: Readonly<Record<string, number>>,
  before: Readonly<Record<string, number>>,
): Record<string, number> | undefined {
  const changed = Object.entries(now)
    .map(([code, count]) => [code, count - (before[code] ?? 0)] as const)
    .filter(([, count]) => count > 0);
  return changed.length === 0 ? undefined : Object.fromEntries(changed);
}

function isEmpty({ in_flight, waiting, succeeded, failed, retried, cost }: PeriodLine): boolean {
  return in_flight + waiting + succeeded + cost === 0 && failed === undefined &&
    retried === undefined;
}

/** Samples one batch. Times are in milliseconds since 1970. */
export class Sampler {
  #batch: SampledBatch | undefined;
  #before = emptySummary();
  #cost = 0;
  #period: PeriodLine | undefined;
  #retried: Record<string, number> = {};
  #states: SampledEndpoint[] = [];
  #pausedSince: number | undefined;
  #lines: EventLine[] = [];

  /** Samples `batch` from now on, whose counts start at zero. */
  watch(batch: SampledBatch): void {
    this.#batch = batch;
    this.#before = emptySummary();
    this.#cost = 0;
    this.#states = [];
    for (const endpoint of batch.endpoints()) this.#states.push({ ...endpoint, state: "up" });
  }

  /** Ends the sampling of the batch. */
  unwatch(now: number): void {
    if (this.#batch === undefined) return;
    this.sample(now);
    this.#endPause(now);
    this.#batch = undefined;
  }

  /** Counts a failed attempt that is retried. */
  retry(error: unknown): void {
    const code = error instanceof FlexLLMError ? error.code : "internal";
    this.#retried[code] = (this.#retried[code] ?? 0) + 1;
  }

  /** Adds a mark. */
  mark(mark: Omit<MarkLine, "type">): void {
    this.#lines.push({ type: "mark", ...mark });
  }

  /** Compares the batch with the last sample. */
  sample(now: number): void {
    const batch = this.#batch;
    if (batch === undefined) return;
    const at = periodStart(now, PERIOD);
    if (this.#period?.at !== at) this.#closePeriod();
    const period = this.#period ??= emptyPeriod(at);
    period.in_flight = Math.max(period.in_flight, batch.inFlight());
    period.waiting = Math.max(period.waiting, batch.waiting());
    this.#count(period, batch.summary());
    this.#compareStates(batch.endpoints(), now);
  }

  /** The lines since the last call: closed periods and marks. Includes an unfinished period if `isEnd`. */
  take(now: number, isEnd = false): EventLine[] {
    if (isEnd) this.#closePeriod();
    else if (this.#pausedSince !== undefined) {
      this.#endPause(now);
      this.#pausedSince = now;
    }
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  #closePeriod(): void {
    if (this.#period !== undefined && !isEmpty(this.#period)) this.#lines.push(this.#period);
    this.#period = undefined;
  }

  #count(period: PeriodLine, now: BatchSummary): void {
    const before = this.#before;
    this.#before = now;
    period.succeeded += now.succeeded - before.succeeded;
    const cached = now.cached - before.cached;
    if (cached > 0) period.cached = (period.cached ?? 0) + cached;
    period.prompt_tokens += now.promptTokens - before.promptTokens;
    period.completion_tokens += now.completionTokens - before.completionTokens;
    const cost = roundedCost(now.cost);
    period.cost = roundedCost(period.cost + cost - this.#cost);
    this.#cost = cost;
    period.failed = addCounts(period.failed, difference(now.errors, before.errors));
    period.retried = addCounts(period.retried, difference(this.#retried, {}));
    this.#retried = {};
  }

  #compareStates(endpoints: readonly SampledEndpoint[], now: number): void {
    for (const [i, { name, state, rateLimited }] of endpoints.entries()) {
      const before = this.#states[i];
      const isDown = isOpen(state);
      if (before !== undefined && isDown !== isOpen(before.state)) {
        this.mark({ at: now, kind: isDown ? "breaker_open" : "breaker_closed", endpoint: name });
      }
      const count = rateLimited - (before?.rateLimited ?? 0);
      if (count > 0) {
        const more = count > 1 ? { count } : {};
        this.mark({ at: now, kind: "rate_limited", endpoint: name, ...more });
      }
    }
    this.#states = endpoints.map((endpoint) => ({ ...endpoint }));
    const isPaused = endpoints.length > 0 && endpoints.every(({ state }) => state !== "up");
    if (!isPaused) this.#endPause(now);
    else this.#pausedSince ??= now;
  }

  #endPause(now: number): void {
    const since = this.#pausedSince;
    this.#pausedSince = undefined;
    if (since === undefined || now <= since) return;
    this.mark({ at: since, kind: "paused", seconds: (now - since) / 1000 });
  }
}

/** Whether requests no longer go to an endpoint in this state, apart from probes. */
function isOpen(state: SampledEndpoint["state"]): boolean {
  return state === "down" || state === "probing";
}

function emptyPeriod(at: number): PeriodLine {
  return {
    type: "period",
    at,
    seconds: PERIOD,
    in_flight: 0,
    waiting: 0,
    succeeded: 0,
    prompt_tokens: 0,
    completion_tokens: 0,
    cost: 0,
  };
}
