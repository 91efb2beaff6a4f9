/**
 * The error for an answer that does not match its schema.
 *
 * @module
 */
import { type ErrorDetails, FlexLLMError } from "../errors.ts";
import type { ChatResult } from "./result.ts";

/** The answer is not JSON, or does not match the schema in `responseFormat`. */
export class SchemaMismatchError extends FlexLLMError {
  /** Always `"SchemaMismatchError"`. */
  override name = "SchemaMismatchError";
  /** The text of the answer. */
  readonly content: string;
  /** Each mismatch with its path; empty if the answer is not JSON. */
  readonly problems: readonly string[];
  /** The whole answer, which has been paid for. */
  result?: ChatResult;

  /** Creates an error for the answer `content`. */
  constructor(
    message: string,
    content: string,
    problems: readonly string[],
    details?: ErrorDetails,
  ) {
    super("schema_mismatch", message, details);
    this.content = content;
    this.problems = problems;
  }
}
