/**
 * Stores the most recent failed requests.
 *
 * @module
 */
import { shortText } from "../../log/short_text.ts";
import type { GatewayFacts } from "../gateway_facts.ts";

/** A request that failed. */
export interface RecentError {
  /** When the request ended, in milliseconds since 1970. */
  at: number;
  /** The id of the call, as in `x-flexllm-call-id`. */
  id: string;
  /** The HTTP status that was sent. An error in a stream comes after a status of 200. */
  status?: number;
  /** The kind of error. */
  errorCode?: string;
  /** The error message, shortened, without secrets. */
  message: string;
  /** The requested model, shortened. */
  model?: string;
  endpoint?: string;
  /** The name of the virtual key. */
  key?: string;
  /** The method and the path. */
  request: string;
}

/** Maximum number of errors. */
const MAX_ERRORS = 100;
/** Longest message, and longest other text, in characters. They are partly written by clients. */
const MAX_MESSAGE = 500;
const MAX_TEXT = 100;

/** The most recent 100 failed requests. */
export class RecentErrors {
  readonly #errors: RecentError[] = [];
  /** Where the next one goes: the oldest one, once there are 100. */
  #next = 0;

  /** Adds a request if it failed. A client that left did not. */
  add(facts: GatewayFacts, now: number): void {
    if (facts.outcome !== "error") return;
    const { id, status, errorCode, error, endpoint, key, requestedModel, method, path } = facts;
    this.#errors[this.#next] = {
      at: now,
      id,
      status,
      errorCode,
      message: shortText(error ?? errorCode ?? "unknown error", MAX_MESSAGE),
      model: requestedModel === undefined ? undefined : shortText(requestedModel, MAX_TEXT),
      endpoint,
      key,
      request: `${method} ${shortText(path, MAX_TEXT)}`,
    };
    this.#next = (this.#next + 1) % MAX_ERRORS;
  }

  /** The errors, newest first. */
  read(): RecentError[] {
    return [...this.#errors.slice(this.#next), ...this.#errors.slice(0, this.#next)].reverse();
  }
}
