/**
 * Parses structured answers and validates them against their schema.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import { isTooDeep, type Json, MAX_DEPTH, parseExact, withDoubles } from "../json/json.ts";
import type { ResponseFormat } from "./options.ts";
import type { ChatResult } from "./result.ts";
import { sourceOf } from "./schema_conversion.ts";
import { SchemaMismatchError } from "./schema_mismatch_error.ts";
import type { StandardSchemaIssue, StandardSchemaV1 } from "./standard_schema.ts";

/** Maximum problems named in an error. */
const SHOWN_PROBLEMS = 5;
/** Maximum characters shown of an answer that is not JSON. */
const SHOWN_CHARACTERS = 60;
const HINT = "Allow more retries (--schema-retries, schemaRetries), or use a better model.";

/** Many models put their JSON in a Markdown code block, even when instructed not to. */
function withoutFence(content: string): string {
  return /^\s*```(?:json)?\s*\n([\s\S]*?)\n?\s*```\s*$/.exec(content)?.[1] ?? content;
}

/** The JSON value of an answer, with its numbers exactly as the model wrote them. */
export function exactValue(content: string): unknown {
  return parseExact(withoutFence(content));
}

/** Whether an answer can have a parsed value. Refusals and tool calls have none. */
export function hasParsed({ toolCalls, finishReason }: ChatResult): boolean {
  return toolCalls.length === 0 && finishReason !== "content_filter";
}

/**
 * The parsed and validated value of an answer in `format`; `undefined` if the format is text.
 *
 * @throws {SchemaMismatchError} if the answer is not JSON or does not match the schema
 * @throws {ConfigurationError} if the schema is invalid
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
  // Each level takes two characters. Deeper values cannot be written to a result file.
  if (content.length > 2 * MAX_DEPTH && isTooDeep(value)) {
    throw mismatch(content, [`#: nested more than ${MAX_DEPTH} levels deep`]);
  }
  if (format.type === "json_object") return value;
  const source = sourceOf(format);
  if (source !== undefined) return await validateStandard(value, source, content);
  await validateJsonSchema(value, format.json_schema.schema, content);
  return value;
}

function mismatch(content: string, problems: readonly string[], cause?: unknown) {
  return new SchemaMismatchError(
    `the answer does not match the schema: ${problems.slice(0, SHOWN_PROBLEMS).join(" ")}`,
    content,
    problems,
    { hint: HINT, cause },
  );
}

async function validateJsonSchema(value: unknown, schema: unknown, content: string): Promise<void> {
  const { Validator } = await import("@cfworker/json-schema");
  const { valid, errors } = (() => {
    try {
      return new Validator(withDoubles(schema) as Json, "2020-12", false).validate(value);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
      throw new ConfigurationError(`the schema of the answer is invalid: ${reason}`, {
        cause,
        hint: "Correct the schema: it must be a JSON Schema, draft 2020-12.",
      });
    }
  })();
  if (valid) return;
  // The innermost errors are specific. The outer ones only say that some part does not match.
  const problems = errors
    .filter(({ keyword }) => !["properties", "items", "$ref"].includes(keyword))
    .map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`);
  throw mismatch(content, problems);
}

async function validateStandard(
  value: unknown,
  schema: StandardSchemaV1,
  content: string,
): Promise<unknown> {
  try {
    const result = await schema["~standard"].validate(value);
    if (result.issues === undefined) return result.value;
    throw mismatch(content, result.issues.map(issueText));
  } catch (cause) {
    if (cause instanceof SchemaMismatchError) throw cause;
    // A transform failed on this answer.
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw mismatch(content, [`#: ${reason}`], cause);
  }
}

/** An issue with its path as a JSON pointer, in the form of the JSON Schema errors. */
function issueText({ message, path = [] }: StandardSchemaIssue): string {
  const keys = path.map((segment) => String(typeof segment === "object" ? segment.key : segment));
  return `${["#", ...keys].join("/")}: ${message}`;
}
