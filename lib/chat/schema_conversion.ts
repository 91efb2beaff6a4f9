/**
 * Converts Standard Schemas to JSON Schema, once for each schema.
 *
 * @module
 */
import { ConfigurationError } from "../errors.ts";
import { asObject, type Json } from "../json/json.ts";
import type { JsonSchemaFormat } from "./options.ts";
import type { JsonSchemaConverter, StandardSchemaV1 } from "./standard_schema.ts";

/** How to get a schema that can be converted, by library. */
const HINTS: Readonly<Record<string, string>> = {
  zod: "Update zod to 4.2 or later.",
  arktype: "Update arktype to 2.1.28 or later.",
  valibot: "Wrap the schema: toStandardJsonSchema(schema), from @valibot/to-json-schema.",
};
const OTHER_HINT =
  "Pass a JSON Schema instead, or use a library that supports Standard JSON Schema " +
  "(https://standardschema.dev/json-schema).";

/** The only characters that OpenAI allows in the name of a schema, at most 64 of them. */
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

const jsonSchemas = new WeakMap<StandardSchemaV1, Json>();
const formats = new WeakMap<StandardSchemaV1, JsonSchemaFormat>();
const sources = new WeakMap<object, StandardSchemaV1>();

/**
 * The JSON Schema of a schema's input, which the model has to write. `path` names the option in errors.
 *
 * @throws {ConfigurationError} if the library cannot convert the schema
 */
export function jsonSchemaOf(schema: StandardSchemaV1, path: string): Json {
  let converted = jsonSchemas.get(schema);
  if (converted === undefined) {
    converted = convert(schema, path);
    jsonSchemas.set(schema, converted);
  }
  return converted;
}

/**
 * The response format that requests JSON for a schema. Answers are validated by the schema itself: see
 * {@link sourceOf}.
 *
 * @throws {ConfigurationError} if the library cannot convert the schema
 */
export function formatOf(schema: StandardSchemaV1): JsonSchemaFormat {
  let format = formats.get(schema);
  if (format === undefined) {
    const converted = jsonSchemaOf(schema, "responseFormat");
    const title = String(converted.title);
    const name = converted.title !== undefined && NAME.test(title) ? title : "response";
    format = { type: "json_schema", json_schema: { name, schema: converted } };
    formats.set(schema, format);
    sources.set(format, schema);
  }
  return format;
}

/** The Standard Schema that a response format was made from; `undefined` for any other format. */
export function sourceOf(format: object | undefined): StandardSchemaV1 | undefined {
  return format && sources.get(format);
}

function convert(schema: StandardSchemaV1, path: string): Json {
  const standard: StandardSchemaV1["~standard"] & { jsonSchema?: JsonSchemaConverter } =
    schema["~standard"];
  const { vendor, jsonSchema } = standard;
  if (jsonSchema === undefined) {
    throw new ConfigurationError(`${path}: this ${vendor} schema has no JSON Schema`, {
      hint: HINTS[vendor] ?? OTHER_HINT,
    });
  }
  try {
    const { $schema: _, ...converted } = jsonSchema.input({ target: "draft-2020-12" });
    return closed(withoutRootReference(converted));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigurationError(
      `${path}: this ${vendor} schema cannot be converted to JSON Schema: ${reason}`,
      { cause, hint: "Use types that exist in JSON, and convert the answer with a transform." },
    );
  }
}

/** Replaces a reference at the root, which providers reject, with the schema it refers to. */
function withoutRootReference({ $ref, ...schema }: Json): Json {
  if ($ref === undefined) return schema;
  const name = typeof $ref === "string" && $ref.startsWith("#/$defs/") ? $ref.slice(8) : "";
  const definition = asObject(asObject(schema.$defs)?.[name]);
  return definition === undefined ? { $ref, ...schema } : { ...definition, ...schema };
}

/** Keywords that contain schemas by name, and keywords that contain one schema or a list of them. */
const MAPS = ["properties", "$defs", "definitions"];
const LISTS = ["items", "prefixItems", "anyOf", "oneOf"];

/**
 * The schema with `additionalProperties: false` on each object that does not set it. OpenAI's strict mode and
 * Anthropic require it, but libraries omit it for inputs. The branches of `allOf` are not changed: each would
 * reject the properties of the others.
 */
function closed(schema: Json): Json {
  const copy: Json = { ...schema };
  for (const name of MAPS) {
    const map = asObject(copy[name]);
    if (map === undefined) continue;
    copy[name] = Object.fromEntries(
      Object.entries(map).map(([key, value]) => [key, closedAny(value)]),
    );
  }
  for (const name of LISTS) {
    if (name in copy) copy[name] = closedAny(copy[name]);
  }
  if (copy.type === "object" && copy.properties !== undefined && copy.allOf === undefined) {
    copy.additionalProperties ??= false;
  }
  return copy;
}

function closedAny(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closedAny);
  const schema = asObject(value);
  return schema === undefined ? value : closed(schema);
}
