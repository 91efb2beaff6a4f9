/**
 * Rewrites the schema of a structured answer for another API.
 *
 * Sources: Anthropic's documentation, "Structured outputs", "JSON Schema limitations"; OpenAI's guide
 * "Structured outputs", "Supported schemas".
 *
 * @module
 */
import type { JsonSchemaFormat, ResponseFormat } from "../../../chat/options.ts";
import { asObject, type Json } from "../../../json/json.ts";
import { isStrictSchema } from "../../../protocols/openai_chat/validate_tools.ts";
import { fieldOf } from "./fields/client_fields.ts";
import type { Target } from "./target.ts";

/** Keywords that Claude's structured outputs reject; the model follows them less surely from a prompt. */
const CONSTRAINTS: ReadonlySet<string> = new Set([
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  ...["minLength", "maxLength", "maxItems", "uniqueItems", "minProperties", "maxProperties"],
]);

/** Keywords whose fields are schemas by name. */
const MAPS: ReadonlySet<string> = new Set(["properties", "$defs", "definitions"]);

function isConstraint(name: string, value: unknown): boolean {
  return CONSTRAINTS.has(name) || name === "minItems" && value !== 0 && value !== 1;
}

/** A schema without constraints, and with closed objects. Adds the names of constraints to `found`. */
function closed(value: unknown, found: Set<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => closed(item, found));
  const schema = asObject(value);
  if (schema === undefined) return value;
  const result: Json = {};
  for (const [name, field] of Object.entries(schema)) {
    if (isConstraint(name, field)) found.add(name);
    else if (MAPS.has(name)) {
      result[name] = Object.fromEntries(
        Object.entries(asObject(field) ?? {}).map(([key, child]) => [key, closed(child, found)]),
      );
    } else if (name === "enum" || name === "const" || name === "default" || name === "examples") {
      result[name] = field;
    } else result[name] = closed(field, found);
  }
  const isObject = schema.type === "object" || schema.properties !== undefined;
  if (isObject && schema.additionalProperties !== false) result.additionalProperties = false;
  return result;
}

/** Whether Claude can enforce a schema without changes. */
export function isPlainSchema(schema: Json): boolean {
  const found = new Set<string>();
  closed(schema, found);
  return found.size === 0;
}

function schemaFormat(
  { type, json_schema }: JsonSchemaFormat,
  target: Target,
  client: string,
  dropped: Set<string>,
): JsonSchemaFormat {
  switch (target.protocol.name) {
    case "claude": {
      const found = new Set<string>();
      const schema = closed(json_schema.schema, found) as Json;
      for (const name of found) dropped.add(`${fieldOf("responseFormat", client)}.${name}`);
      return { type, json_schema: { ...json_schema, schema } };
    }
    case "gemini":
      return { type, json_schema };
    default: {
      // In Anthropic's and Google's formats, the answer always matches the schema.
      const wantsStrict = json_schema.strict ?? (client === "claude" || client === "gemini");
      if (json_schema.strict === true || !wantsStrict) return { type, json_schema };
      const strict = isStrictSchema(json_schema.schema);
      return { type, json_schema: strict ? { ...json_schema, strict } : json_schema };
    }
  }
}

/**
 * Rewrites the format of the answer.
 *
 * @param client the name of the client's format
 */
export function formatFor(
  format: ResponseFormat | undefined,
  target: Target,
  client: string,
  dropped: Set<string>,
): ResponseFormat | undefined {
  if (format === undefined || format.type === "text") return undefined;
  return format.type === "json_schema" ? schemaFormat(format, target, client, dropped) : format;
}
