/**
 * Reads and writes the fields by which jobs are recognized and counted.
 *
 * @module
 */
import { MalformedResponseError } from "../errors.ts";
import { asCount, asObject, asObjects, asText, type Json } from "../json/json.ts";

/** The label of a job: a name or an id that no other job has. */
export function labelOf(nonce: string): string {
  return `flexllm-${nonce}`;
}

/** The nonce in a label, or in a path that ends with one; `undefined` if it is not one of ours. */
export function nonceOf(label: unknown): string | undefined {
  return /(?:^|\/)flexllm-([a-z0-9]{10})$/.exec(asText(label) ?? "")?.[1];
}

/**
 * The jobs in a list, which is empty if `value` is absent and may be.
 *
 * @throws {MalformedResponseError} if there is no list: it does not prove that there is no job
 */
export function requireJobs(
  answer: unknown,
  value: unknown,
  mayBeAbsent: boolean,
): Json[] {
  const object = asObject(answer);
  const isEmpty = mayBeAbsent && object !== undefined && object.error === undefined &&
    (value === undefined || value === null);
  if (isEmpty) return [];
  if (Array.isArray(value)) return asObjects(value);
  throw new MalformedResponseError("the server's answer is not a list of batches", {
    retryable: true,
    hint: "Check that the service has a batch API at this base URL.",
  });
}

/** A count, which Google's APIs write as text; `undefined` if it is none. */
export function asInteger(value: unknown): number | undefined {
  if (typeof value === "string" && /^\d+$/.test(value)) return Number(value);
  return asCount(value);
}

/**
 * Returns an id that an answer must contain.
 *
 * @throws {MalformedResponseError} if it has none
 */
export function requireId(id: unknown, what: string): string {
  const text = asText(id);
  if (text === undefined) throw new MalformedResponseError(`the server returned no ${what}`);
  return text;
}
