/**
 * Answers that were asked for as JSON of a schema: parsed, and checked against it.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import { SchemaMismatchError } from "./schema_mismatch_error.ts";
import { type Json, parseExact, withDoubles } from "../json/json.ts";
import type { ResponseFormat } from "./options.ts";

/** How many problems an error names. */
const SHOWN_PROBLEMS = 5;
/** How much of an answer that is not JSON an error shows. */
const SHOWN_CHARACTERS = 60;
const HINT = "Let the model try again (--schema-retries), or ask a better one.";

/** Many models put their JSON in a Markdown code block, whatever they are told. */
function withoutFence(content: string): string {
  return /^\s*```(?:json)?\s*\n([\s\S]*?)\n?\s*```\s*$/.exec(content)?.[1] ?? content;
}

/**
 * The value of an answer whose JSON has been read, with its numbers as the model wrote them.
 */
export function exactValue(content: string): unknown {
  return parseExact(withoutFence(content));
}

/** @throws {ConfigurationError} when the schema is none */
async function validate(value: unknown, given: unknown) {
  const { Validator } = await import("@cfworker/json-schema");
  try {
    return new Validator(withDoubles(given) as Json, "2020-12", false).validate(value);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new ConfigurationError(`the schema of the answer cannot be used: ${reason}`, {
      cause,
      hint: "Correct the schema: it is to be a JSON Schema of the draft 2020-12.",
    });
  }
}

/**
 * The value of an answer that was asked for in `format`; `undefined` when it was asked for as text.
 *
 * @throws {SchemaMismatchError} when it is not JSON or does not fit the schema
 * @throws {ConfigurationError} when the schema is none
 */
export async function parseStructured(
  content: string,
  format: ResponseFormat,
): Promise<unknown> {
  if (format.type === "text") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(withoutFence(content));
  } catch (cause) {
    const shown = content.trim().split("\n")[0].slice(0, SHOWN_CHARACTERS);
    const message = `the answer is not JSON ("${shown}", ${content.length} characters)`;
    throw new SchemaMismatchError(message, content, [], { cause, hint: HINT });
  }
  if (format.type === "json_object") return value;
  const { valid, errors } = await validate(value, format.json_schema.schema);
  if (valid) return value;
  // The innermost errors say what is wrong, the outer ones only that something is.
  const problems = errors.filter(({ keyword }) =>
    !["properties", "items", "$ref"].includes(keyword)
  )
    .map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`);
  throw new SchemaMismatchError(
    `the answer does not fit the schema: ${problems.slice(0, SHOWN_PROBLEMS).join(" ")}`,
    content,
    problems,
    { hint: HINT },
  );
}
