/**
 * The error of an answer that does not match its JSON schema.
 *
 * @module
 */
import { type ErrorDetails, FlexLLMError } from "../errors.ts";
import type { ChatResult } from "./result.ts";

/** The answer was asked for as JSON of a schema, and is none or does not fit. */
export class SchemaMismatchError extends FlexLLMError {
  /** The name of the class. */
  override name = "SchemaMismatchError";
  /** The answer as it came. */
  readonly content: string;
  /** What does not fit, each with its place; empty when the answer is no JSON at all. */
  readonly problems: readonly string[];
  /** The whole answer: it has been paid for. */
  result?: ChatResult;

  /** Makes an error for the answer `content`. */
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
