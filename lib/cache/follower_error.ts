/**
 * Adapts the error of a shared request for the callers that only waited for it.
 *
 * @module
 */
import { SchemaMismatchError } from "../chat/schema_mismatch_error.ts";
import { copyError, FlexLLMError } from "../errors.ts";

/** The error for a caller that waited for another caller's request and therefore paid nothing. */
export function followerError(error: unknown): unknown {
  if (error instanceof SchemaMismatchError && error.result !== undefined) {
    return copyError(error, { result: { ...error.result, cost: 0, cached: true } });
  }
  if (!(error instanceof FlexLLMError)) return error;
  const { partial } = error;
  return copyError(error, { partial: partial && { ...partial, usage: undefined, cost: 0 } });
}
