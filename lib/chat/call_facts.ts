/**
 * Defines the facts about a finished call, the source of metrics, spans and reports.
 *
 * @module
 */
import type { ErrorCode } from "../errors.ts";
import type { Usage } from "../usage.ts";

/** One finished call, schema retries included. Times are in seconds unless noted otherwise. */
export interface CallFacts {
  /** When the call was made, in milliseconds since 1970. */
  at: number;
  /** The requested model: that of the last attempt, or of the first endpoint if no request was sent. */
  model: string;
  /** The endpoint of the last attempt; absent if no request was sent. */
  endpoint?: string;
  /** Time spent waiting: in the queue, for rate limits, and between attempts. */
  queued: number;
  /** Requests sent; 0 for an answer from the cache. */
  attempts: number;
  /** From sending the last attempt to its first content; only for streams. */
  firstToken?: number;
  /** From the start of the call to its end. */
  duration: number;
  /** Token counts, if the server reported them. For a cached answer, those of the original answer. */
  usage: Usage | null;
  /** Cost in USD, including that of failed attempts; `null` if unknown. */
  cost: number | null;
  /** Whether the answer came from the response cache. */
  cached: boolean;
  /** How the call ended. */
  outcome: "success" | "error" | "aborted";
  /** The kind of error, unless the call succeeded. */
  errorCode?: ErrorCode;
}
