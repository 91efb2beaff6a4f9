/**
 * Decides what a failed upload or create means: whether a job may exist, and whether it can be repeated.
 *
 * @module
 */
import {
  AuthenticationError,
  ConnectionError,
  FlexLLMError,
  HttpError,
  RateLimitError,
} from "../../errors.ts";
import type { BatchApi, JobProblem } from "../../batch_api/batch_api.ts";
import { isQuotaError } from "./submission_limits.ts";

/**
 * - `unclear`: a job may exist.
 * - `quota`: no job exists; too much is queued.
 * - `later`: no job exists; the same request may succeed later.
 * - `invalid`: no job exists; the input is refused.
 * - `fatal`: no job exists, and none will: the key or the account is refused.
 */
export type CreateFailure = "unclear" | "quota" | "later" | "invalid" | "fatal";

/** An input file that was uploaded just now may not be visible yet. */
const FILE_NOT_FOUND =
  /file.{0,60}(not found|cannot|can't|does not exist|not exist|no such)|(not find|no such).{0,20}file/i;

/** Decides what a failed create means. */
export function createFailure(error: unknown, api: Pick<BatchApi, "foundBy">): CreateFailure {
  if (error instanceof ConnectionError) return error.sent ? "unclear" : "later";
  if (!(error instanceof HttpError)) return "unclear";
  const { status } = error;
  // An error in a successful response may be about anything.
  if (status < 400 || status === 408 || status >= 500) return "unclear";
  // flexllm chose the id, so the job exists already.
  if (status === 409 && api.foundBy === "id") return "unclear";
  if (isQuotaError(error)) return "quota";
  if (error instanceof RateLimitError || status === 429 && !error.fatal) return "later";
  if (status === 409 || status === 425) return "later";
  if (error instanceof AuthenticationError || error.fatal && status !== 404) return "fatal";
  if (isFileMissing(error)) return "later";
  return status === 404 ? "fatal" : "invalid";
}

/** Decides what a failed upload, or another request that may be repeated, means. */
export function repeatableFailure(error: unknown): Exclude<CreateFailure, "unclear"> {
  if (isQuotaError(error)) return "quota";
  if (!(error instanceof FlexLLMError)) return "fatal";
  if (error.retryable || error.endpointFault && !error.fatal) return "later";
  return error instanceof HttpError && error.status === 400 ? "invalid" : "fatal";
}

/** Whether `error` says that the input file does not exist. */
export function isFileMissing(error: unknown): boolean {
  if (!(error instanceof HttpError) || (error.status !== 400 && error.status !== 404)) return false;
  return FILE_NOT_FOUND.test(error.providerMessage ?? error.message);
}

/** The problem that a refused create names, with the row if the message has it. */
export function problemOf(error: unknown): JobProblem {
  const message = error instanceof HttpError
    ? error.providerMessage ?? error.message
    : error instanceof Error
    ? error.message
    : String(error);
  const code = error instanceof HttpError ? error.providerCode : undefined;
  // Anthropic: `requests.0.custom_id: …`; Google: `requests[0].request: …`.
  const row = /\brequests(?:\.|\[)(\d+)/.exec(message)?.[1];
  return { message, code, line: row === undefined ? undefined : Number(row) + 1 };
}

/** Seconds after which the provider wants the request to be repeated. */
export function retryAfter(error: unknown): number | undefined {
  return error instanceof HttpError ? error.retryAfter : undefined;
}
