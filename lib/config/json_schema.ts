/**
 * The configuration's schema as a JSON Schema, for editors.
 *
 * @module
 */
import { toJsonSchema } from "@valibot/to-json-schema";
import { configSchema } from "./schema.ts";

/** A JSON Schema (draft 7) of the configuration file. */
export function configJsonSchema(): Record<string, unknown> {
  // What it cannot say, such as "must be the name of a model", `flexllm config check` does.
  const schema = toJsonSchema(configSchema, { errorMode: "ignore", typeMode: "input" });
  return { ...schema, title: "The configuration of flexllm" };
}
