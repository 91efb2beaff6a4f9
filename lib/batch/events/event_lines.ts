/**
 * Defines the lines of the events file of a batch: what happened over time, which its results do not show.
 *
 * A file has one or more runs, since a resumed batch appends to it. Each run starts with a {@link RunLine}, continues
 * with {@link PeriodLine}s and {@link MarkLine}s in the order of time, and ends with an {@link EndLine} unless the
 * process was killed. Unknown types and fields are for later versions, and are ignored.
 *
 * @module
 */

/** The start of a run: its settings. */
export interface RunLine {
  type: "run";
  /** When the run started, as ISO 8601 (UTC). */
  at: string;
  /** The version of flexllm. */
  version: string;
  /** The runtime and its version, such as `deno 2.9.6`. */
  runtime: string;
  /** The command that resumes the batch, without secrets; absent for a library. */
  command?: string;
  /** The requested models. */
  models: string[];
  /** Base URLs without secrets. */
  endpoints: string[];
  /** Selected records, and those among them that already had a result. */
  records: number;
  restored: number;
  /** Maximum records in progress. */
  concurrency: number;
  /** USD for the batch, and what earlier runs spent of it. */
  budget?: number;
  spent_before?: number;
  /** Other settings by their names in a configuration file: limits, retries, sampling options. No texts of prompts. */
  settings: Record<string, string | number | boolean>;
}

/** What happened in a period. Periods without any activity are left out. */
export interface PeriodLine {
  type: "period";
  /** The start, in milliseconds since 1970. */
  at: number;
  /** The length. */
  seconds: number;
  /** The largest number of requests in flight, and of records that waited for an endpoint. */
  in_flight: number;
  waiting: number;
  /** Records that succeeded; those among them that the cache answered. */
  succeeded: number;
  cached?: number;
  /** Records that failed, by error code. */
  failed?: Record<string, number>;
  /** Failed attempts that were retried, by error code. */
  retried?: Record<string, number>;
  prompt_tokens: number;
  completion_tokens: number;
  /** USD, of the results whose cost is known. */
  cost: number;
}

/** Something that happened at one moment. */
export interface MarkLine {
  type: "mark";
  /** Milliseconds since 1970. */
  at: number;
  /**
   * `rate_limited`: an endpoint answered 429; `breaker_open`, `breaker_closed`: an endpoint is no longer used, is used
   * again; `paused`: no endpoint was usable for `seconds`; `budget`: the budget was exhausted; `stopped`: the user
   * stopped the batch.
   */
  kind: "rate_limited" | "breaker_open" | "breaker_closed" | "paused" | "budget" | "stopped";
  endpoint?: string;
  seconds?: number;
  /** How often, if several marks of a kind and endpoint were merged. */
  count?: number;
}

/** The end of a run. */
export interface EndLine {
  type: "end";
  at: string;
  /** How the run ended; `failed` if an error ended it. */
  outcome: "done" | "stopped" | "failed";
  succeeded: number;
  failed: number;
  /** Seconds. */
  duration: number;
}

/** A line of an events file. */
export type EventLine = RunLine | PeriodLine | MarkLine | EndLine;
