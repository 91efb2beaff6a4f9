/**
 * From a whole HTTP answer to a completion, or to the error that it stands for. Pure.
 *
 * @module
 */
import type { Completion, Endpoint, Provider } from "./provider.ts";
import { embeddedError, notJsonError, statusError } from "./response_error.ts";

/** The parts of an answer that are read here. */
export interface AnswerParts {
  status: number;
  headers: Headers;
  body: string;
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Throws the error for an answer with a status that is not a success. */
export function throwStatusError(
  provider: Provider,
  answer: AnswerParts,
  endpoint?: Endpoint,
): never {
  const error = provider.decodeError(tryParse(answer.body));
  throw statusError(answer.status, answer.headers, answer.body, error, endpoint);
}

/**
 * Parses the body of an answer.
 *
 * @throws {FlexLLMError} for an error status, an error object, or a body that is not JSON
 */
export function readAnswer(
  provider: Provider,
  answer: AnswerParts,
  endpoint?: Endpoint,
): unknown {
  if (answer.status < 200 || answer.status > 299) throwStatusError(provider, answer, endpoint);
  let raw: unknown;
  try {
    raw = JSON.parse(answer.body);
  } catch (cause) {
    throw notJsonError(answer.status, answer.headers, answer.body, cause);
  }
  const error = provider.decodeError(raw);
  if (error !== undefined) {
    const id = answer.headers.get("x-request-id") ?? undefined;
    throw embeddedError(error, id, undefined, endpoint);
  }
  return raw;
}

/**
 * Decodes a plain answer.
 *
 * @throws {FlexLLMError} for an error status, an error object, or a body that is not a completion
 */
export function decodeAnswer(
  provider: Provider,
  answer: AnswerParts,
  endpoint?: Endpoint,
): { completion: Completion; raw: unknown } {
  const raw = readAnswer(provider, answer, endpoint);
  return { completion: provider.decode(raw), raw };
}
