/**
 * Defines `--schema-retries`, and converts the flags for structured output to request options.
 *
 * @module
 */
import { Option } from "@commander-js/extra-typings";
import type { ResponseFormat } from "../../lib/chat/options.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import { HELP_GROUPS } from "./help_groups.ts";
import { integer } from "./parse.ts";

const DEFAULT_RETRIES = 2;

/** `--schema-retries` */
export const schemaRetriesFlag = new Option(
  "--schema-retries <count>",
  `retries of an answer that does not match the schema (default: ${DEFAULT_RETRIES})`,
).helpGroup(HELP_GROUPS.schema).argParser(integer(0));

/**
 * Reads the file of `--schema` and returns the options for structured output.
 *
 * @throws {ConfigurationError} if `--schema-retries` is given without `--schema`
 */
export async function schemaOptions(
  { schema, schemaRetries }: { schema?: string; schemaRetries?: number },
): Promise<{ responseFormat?: ResponseFormat; schemaRetries?: number }> {
  if (schema === undefined) {
    if (schemaRetries === undefined) return {};
    throw new ConfigurationError("--schema-retries requires --schema", {
      hint: "Add --schema FILE, or remove --schema-retries.",
    });
  }
  const { readSchemaFile } = await import("../../lib/input/schema_file.ts");
  return {
    responseFormat: readSchemaFile(schema),
    schemaRetries: schemaRetries ?? DEFAULT_RETRIES,
  };
}
