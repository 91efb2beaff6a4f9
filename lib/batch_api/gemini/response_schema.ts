/**
 * Converts JSON schemas to Gemini's own schema format.
 *
 * Batches accept `responseJsonSchema`, but the answers do not follow it: values end up in the wrong fields
 * (crmne/ruby_llm#894). `responseSchema` works; it is a subset of OpenAPI's format.
 *
 * Source: Gemini API reference, "Schema".
 *
 * @module
 */
import {
  asObject,
  asObjects,
  type Json,
  parseExact,
  stringifyExact,
  tryParse,
} from "../../json/json.ts";

/** Keywords that mean the same in both formats. */
const SAME = [
  ...["title", "description", "required", "minItems", "maxItems", "minLength", "maxLength"],
  ...["minimum", "maximum", "pattern", "minProperties", "maxProperties"],
];

/** Keywords that change the shape of the answer, and have no counterpart. */
const UNSUPPORTED = ["prefixItems", "patternProperties", "not", "if", "$dynamicRef"];

const FIELD = '"responseJsonSchema"';

const TYPES = ["string", "number", "integer", "boolean", "array", "object"];

class SchemaError extends Error {}

/** Resolves a reference within the schema. `path` has the references that are being resolved. */
function resolve(ref: string, root: Json, path: readonly string[]): Json {
  if (path.includes(ref)) throw new SchemaError(`"${ref}" refers to itself`);
  const names = ref.startsWith("#/") ? ref.slice(2).split("/") : [];
  let target: unknown = names.length === 0 ? undefined : root;
  for (const name of names) {
    target = asObject(target)
      ?.[decodeURIComponent(name).replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  const schema = asObject(target);
  if (schema === undefined) throw new SchemaError(`"${ref}" cannot be resolved`);
  return schema;
}

/** Replaces a reference, and `allOf` with a single schema, by the schema itself. */
function flatten(schema: Json, root: Json, path: string[]): [schema: Json, path: string[]] {
  const { $ref, allOf, ...rest } = schema;
  if (typeof $ref === "string") {
    return flatten({ ...resolve($ref, root, path), ...rest }, root, [...path, $ref]);
  }
  if (allOf === undefined) return [schema, path];
  const [only, ...others] = asObjects(allOf);
  if (only === undefined || others.length > 0) throw new SchemaError("it uses allOf");
  return flatten({ ...only, ...rest }, root, path);
}

function convertObject(schema: Json, root: Json, path: string[]): Json {
  const properties = asObject(schema.properties) ?? {};
  if (asObject(schema.additionalProperties) !== undefined) {
    throw new SchemaError("it uses additionalProperties with a schema");
  }
  const names = Object.keys(properties);
  if (names.length === 0) throw new SchemaError("it has an object without properties");
  return {
    properties: Object.fromEntries(
      names.map((name) => [name, convert(properties[name], root, path)]),
    ),
    propertyOrdering: names,
  };
}

/** The parts that depend on the type. */
function convertType(type: string, schema: Json, root: Json, path: string[]): Json {
  const converted: Json = { type: type.toUpperCase() };
  if (type === "object") return { ...converted, ...convertObject(schema, root, path) };
  if (type === "array") return { ...converted, items: convert(schema.items, root, path) };
  if (type !== "string") return converted;
  // Only text can have a list of values, and only these formats are known.
  const values = schema.const === undefined ? schema.enum : [schema.const];
  if (Array.isArray(values)) {
    converted.enum = values.filter((value) => typeof value === "string");
    converted.format = "enum";
  } else if (schema.format === "date-time") converted.format = schema.format;
  return converted;
}

/** The types of a schema without `null`, and whether it had that. */
function typesOf(schema: Json): { types: string[]; nullable: boolean } {
  const values = Array.isArray(schema.enum) ? schema.enum : [schema.const];
  const implied = values.map((value) => typeof value).find((type) => TYPES.includes(type));
  const given = schema.type ?? (schema.properties !== undefined ? "object" : implied);
  const all = (Array.isArray(given) ? given : [given]).filter((type) => typeof type === "string");
  return { types: all.filter((type) => type !== "null"), nullable: all.includes("null") };
}

/** The alternatives of a schema, without `null`. */
function convertAlternatives(schema: Json, root: Json, path: string[]): Json | undefined {
  const list = schema.anyOf ?? schema.oneOf;
  if (list === undefined) return undefined;
  const alternatives = asObjects(list);
  const others = alternatives.filter(({ type }) => type !== "null");
  const converted = others.map((alternative) => convert(alternative, root, path));
  const nullable = others.length < alternatives.length ? { nullable: true } : {};
  return converted.length === 1
    ? { ...converted[0], ...nullable }
    : { anyOf: converted, ...nullable };
}

function convert(value: unknown, root: Json, outer: string[]): Json {
  const object = asObject(value);
  if (object === undefined) throw new SchemaError("it has a value of any type");
  const [schema, path] = flatten(object, root, outer);
  const unsupported = UNSUPPORTED.find((name) => schema[name] !== undefined);
  if (unsupported !== undefined) throw new SchemaError(`it uses ${unsupported}`);
  const same = Object.fromEntries(
    SAME.filter((name) => schema[name] !== undefined).map((name) => [name, schema[name]]),
  );
  const alternatives = convertAlternatives(schema, root, path);
  if (alternatives !== undefined) return { ...alternatives, ...same };
  const { types, nullable } = typesOf(schema);
  const unknown = types.find((type) => !TYPES.includes(type));
  if (types.length === 0 || unknown !== undefined) {
    throw new SchemaError("it has a value of any type");
  }
  const converted = types.map((type) => convertType(type, schema, root, path));
  return {
    ...(converted.length === 1 ? converted[0] : { anyOf: converted }),
    ...same,
    ...(nullable ? { nullable } : {}),
  };
}

/**
 * Converts a JSON schema. Keywords that only narrow the values, such as `multipleOf`, are dropped.
 *
 * @throws {SchemaError} if the format cannot express the schema
 */
function toResponseSchema(schema: Json): Json {
  return convert(schema, schema, []);
}

/** Why a request's schema cannot be used in a batch; `undefined` if it can, or the request has none. */
export function schemaProblem(body: string): string | undefined {
  const fields = body.includes(FIELD) ? asObject(tryParse(body)) : undefined;
  const schema = asObject(asObject(fields?.generationConfig)?.responseJsonSchema);
  if (schema === undefined) return undefined;
  try {
    toResponseSchema(schema);
    return undefined;
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    return `Gemini's batches cannot follow this JSON schema: ${error.message}`;
  }
}

/** Replaces `responseJsonSchema` in a request body, which is JSON text, with `responseSchema`. */
export function withResponseSchema(body: string): string {
  if (!body.includes(FIELD)) return body;
  const fields = asObject(parseExact(body));
  const config = asObject(fields?.generationConfig);
  const schema = asObject(config?.responseJsonSchema);
  if (config === undefined || schema === undefined) return body;
  const { responseJsonSchema: _, ...rest } = config;
  const generationConfig = { ...rest, responseSchema: toResponseSchema(schema) };
  return stringifyExact({ ...fields, generationConfig });
}
