/**
 * Converts the configuration schema to JSON Schema, for completion in editors.
 *
 * @module
 */
import { toJsonSchema } from "@valibot/to-json-schema";
import { configSchema } from "./schema.ts";

/** A JSON Schema (draft 7) of the configuration file. */
export function configJsonSchema(): Record<string, unknown> {
  // Rules that JSON Schema cannot express are left to `flexllm config check`.
  const schema = toJsonSchema(configSchema, { errorMode: "ignore", typeMode: "input" });
  return { ...schema, title: "flexllm configuration" };
}
