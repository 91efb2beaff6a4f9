/**
 * Defines the flags for structured output, and converts them to request options.
 *
 * @module
 */
import { Option } from "@commander-js/extra-typings";
import type { ResponseFormat } from "../../lib/chat/options.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import { HELP_GROUPS } from "./help_groups.ts";
import { integer } from "./parse.ts";

const DEFAULT_RETRIES = 2;

/** `--schema`, for every command that sends prompts. */
export const schemaFlag = new Option(
  "--schema <schema>",
  'schema of the answer: a file, a JSON Schema, or a list such as "name, age int"',
).helpGroup(HELP_GROUPS.schema);

/** The note about `--schema` below the flags. */
export const SCHEMA_NOTE =
  "Schemas: --schema takes a file, a JSON Schema, or a list of fields: name, age int, score float, " +
  "ok bool, tags [string], people [{name, age int}], address {street, city}, mood (good|bad), " +
  'nickname? (may be null). A description follows a colon: "name: full name, age int: in years". ' +
  "A name with a slash, or a single word with an extension, is a file; @FILE always is. " +
  "`flexllm schema` prints the JSON Schema of any of them.";

/** `--schema-retries` */
export const schemaRetriesFlag = new Option(
  "--schema-retries <count>",
  `retries of an answer that does not match the schema (default: ${DEFAULT_RETRIES})`,
).helpGroup(HELP_GROUPS.schema).argParser(integer(0));

/**
 * Reads the value of `--schema` and returns the options for structured output.
 *
 * @throws {ConfigurationError} if `--schema-retries` is given without `--schema`
 */
export async function schemaOptions(
  { schema, schemaRetries }: { schema?: string; schemaRetries?: number },
): Promise<{ responseFormat?: ResponseFormat; schemaRetries?: number }> {
  if (schema === undefined) {
    if (schemaRetries === undefined) return {};
    throw new ConfigurationError("--schema-retries requires --schema", {
      hint: "Add --schema SCHEMA, or remove --schema-retries.",
    });
  }
  const { readSchema } = await import("../../lib/input/schema_file.ts");
  return {
    responseFormat: readSchema(schema),
    schemaRetries: schemaRetries ?? DEFAULT_RETRIES,
  };
}
