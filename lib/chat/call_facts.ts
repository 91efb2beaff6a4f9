/**
 * Defines the facts about a finished call and its attempts, the source of metrics, spans, logs and reports.
 *
 * @module
 */
import type { ErrorCode } from "../errors.ts";
import type { Usage } from "../usage.ts";
import type { Message } from "./messages.ts";
import type { ChatResult } from "./result.ts";

/** One finished call, schema retries included. Times are in seconds unless noted otherwise. */
export interface CallFacts {
  /**
   * Identifies the call among those of all processes; the same in {@link AttemptFacts.id}. Absent for a record that
   * was answered in a job of a provider's batch API.
   */
  id?: string;
  /** The index of the record, if the call is part of a batch. */
  index?: number;
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
  /** The message of the error, without the client's keys. */
  error?: string;
}

/** One finished attempt of a call: a request, and its answer or failure. Times are in seconds unless noted otherwise. */
export interface AttemptFacts {
  /** The call; see {@link CallFacts.id}. */
  id: string;
  /** The index of the record, if the call is part of a batch. */
  index?: number;
  /** When the request was sent, in milliseconds since 1970. */
  at: number;
  /** Its number among the attempts of the call, from 1. */
  attempt: number;
  /** The requested model. */
  model: string;
  /** The endpoint: its base URL without secrets. */
  endpoint: string;
  /** The HTTP status; absent if no response arrived. */
  status?: number;
  /** The headers of the response that hold no secrets: ids of the request, rate limits, `retry-after`. */
  headers?: Record<string, string>;
  /** Until the first content; only for streams. */
  firstToken?: number;
  /** Until the end of the answer, or the failure. */
  duration: number;
  /** How the attempt ended. */
  outcome: "success" | "error" | "aborted";
  /** The kind of error, unless the attempt succeeded. */
  errorCode?: ErrorCode;
  /** The message of the error, without the client's keys. */
  error?: string;
}

/** What a call sent and received. */
export interface CallContent {
  /** The messages that were passed in. */
  messages: readonly Message[];
  /** The answer, unless the call failed. */
  result?: ChatResult;
  /** The error, if the call failed. */
  cause?: unknown;
  /** Removes the client's keys from a text. */
  redact(text: string): string;
}

/** What is called about the calls of a client. Errors that a listener throws are ignored. */
export interface CallListener {
  /** Called when a call has ended, before its promise settles. */
  onCall?: (facts: CallFacts, content: CallContent) => void;
  /** Called when an attempt has ended. */
  onAttempt?: (facts: AttemptFacts) => void;
}
