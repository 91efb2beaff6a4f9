/**
 * Encodes errors for other processes, so that they have the same class, message and effect there.
 *
 * @module
 */
import { SchemaMismatchError } from "../chat/schema_mismatch_error.ts";
import {
  AbortedError,
  AuthenticationError,
  BudgetExceededError,
  CacheError,
  ConfigurationError,
  ConnectionError,
  ContentBlockedError,
  type ErrorCode,
  FlexLLMError,
  HttpError,
  InternalError,
  InvalidInputError,
  MalformedResponseError,
  QuotaExceededError,
  RateLimitError,
  TimeoutError,
  UnavailableError,
} from "../errors.ts";
import type { Json } from "../json/json.ts";
import { decodeResult, encodeResult, type WireResult } from "./result_codec.ts";
import { WorkersLostError } from "./worker/workers_lost_error.ts";

/** The classes by name. An unknown one, of another version, becomes the base class. */
const CLASSES: Readonly<Record<string, { prototype: FlexLLMError }>> = {
  // Named here, since a bundler may rename a class.
  SchemaMismatchError,
  WorkersLostError,
  AbortedError,
  AuthenticationError,
  BudgetExceededError,
  CacheError,
  ConfigurationError,
  ConnectionError,
  ContentBlockedError,
  HttpError,
  InternalError,
  InvalidInputError,
  MalformedResponseError,
  QuotaExceededError,
  RateLimitError,
  TimeoutError,
  UnavailableError,
};

/** An error as plain JSON. */
export type WireError = Json & { name: string; code: ErrorCode; message: string };

/** The error as plain JSON, without its cause and stack. */
export function encodeError(error: FlexLLMError): WireError {
  const fields: WireError = { ...error, message: error.message };
  delete fields.cause;
  if (error instanceof SchemaMismatchError && error.result !== undefined) {
    fields.result = encodeResult(error.result);
  }
  return fields;
}

/** The error of {@link encodeError}. */
export function decodeError({ code, message, ...fields }: WireError): FlexLLMError {
  const error = new FlexLLMError(code, message);
  const { prototype } = CLASSES[fields.name] ?? FlexLLMError;
  Object.setPrototypeOf(error, prototype);
  Object.assign(error, fields);
  if (error instanceof SchemaMismatchError && error.result !== undefined) {
    error.result = decodeResult(error.result as unknown as WireResult);
  }
  return error;
}
