/**
 * Keeps the error answers of providers, so that a client that speaks the same format gets them unchanged.
 *
 * @module
 */
import { AuthenticationError, QuotaExceededError } from "../errors.ts";
import type { BufferedResponse } from "../transport/http.ts";

const answers = new WeakMap<object, BufferedResponse>();

/** Remembers that `error` was made of an answer, from which secrets have been removed. */
export function rememberUpstream(error: unknown, answer: BufferedResponse): void {
  if (typeof error === "object" && error !== null) answers.set(error, answer);
}

/**
 * The provider's answer that `error` was made of, if the client may have it unchanged. Not if the provider
 * rejected the gateway's own key or account: the client would take it for its own. Nor a redirect: the client
 * would follow it.
 */
export function upstreamAnswer(error: unknown): BufferedResponse | undefined {
  if (error instanceof AuthenticationError || error instanceof QuotaExceededError) return undefined;
  const answer = typeof error === "object" && error !== null ? answers.get(error) : undefined;
  return answer !== undefined && answer.status >= 400 ? answer : undefined;
}
