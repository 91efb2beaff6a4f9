/**
 * The flags that ask for answers of a JSON schema, and what they mean for a call.
 *
 * @module
 */
import { Option } from "@commander-js/extra-typings";
import type { ResponseFormat } from "../../lib/chat/options.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import { wholeNumber } from "./shared_options.ts";

/** How often an answer that does not fit is asked for again, where no flag says it. */
const DEFAULT_RETRIES = 2;

/** The flag that says how often. */
export const schemaRetriesFlag = new Option(
  "--schema-retries <count>",
  `times an answer that does not fit is asked for again (default: ${DEFAULT_RETRIES})`,
).argParser(wholeNumber(0));

/** The options of calls whose answers must fit the schema in the file `schema`. */
export async function schemaOptions(
  { schema, schemaRetries }: { schema?: string; schemaRetries?: number },
): Promise<{ responseFormat?: ResponseFormat; schemaRetries?: number }> {
  if (schema === undefined) {
    if (schemaRetries === undefined) return {};
    throw new ConfigurationError("--schema-retries means nothing without --schema", {
      hint: "Add --schema FILE, or leave it out.",
    });
  }
  const { readSchemaFile } = await import("../../lib/input/schema_file.ts");
  return {
    responseFormat: readSchemaFile(schema),
    schemaRetries: schemaRetries ?? DEFAULT_RETRIES,
  };
}
