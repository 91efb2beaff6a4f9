/**
 * What is known of a call when it has ended: the source of journal fields, metrics, spans and reports.
 *
 * @module
 */
import type { ErrorCode } from "../errors.ts";
import type { Usage } from "../usage.ts";

/** One finished call. Times are in seconds unless they say otherwise. */
export interface CallFacts {
  /** When the call was made, in milliseconds since 1970. */
  at: number;
  /** The requested model. */
  model: string;
  /** The endpoint of the last attempt; absent if no request was sent. */
  endpoint?: string;
  /** Time spent waiting: in the queue, for rate limits, and between attempts. */
  queued: number;
  /** Requests sent; 0 for an answer from the cache. */
  attempts: number;
  /** From sending the last attempt to its first token; only for streams. */
  firstToken?: number;
  /** From making the call to its end. */
  duration: number;
  /** Token counts, where the server reported them. */
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
