/**
 * Normalizes the spellings that Gemini accepts in a request.
 *
 * Source: the JSON mapping of Protocol Buffers, which accepts field names in camel case and in snake case,
 * and a single message for a list of one.
 *
 * @module
 */
import { asObject, type Json } from "../../json/json.ts";

/** Fields whose own fields the user names. */
const OPAQUE = new Set([
  ...["args", "response", "labels", "partMetadata", "variables"],
  ...["parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema", "schema"],
]);
/** Fields that hold lists. */
const LIST_FIELDS = new Set([
  "contents",
  "parts",
  "tools",
  "functionDeclarations",
  "safetySettings",
]);

function camel(name: string): string {
  return name.includes("_") ? name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase()) : name;
}

function normalized(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normalized);
  const object = asObject(value);
  return object === undefined ? value : normalizeRequest(object);
}

/** Returns the body with all names in camel case, and with a list in every list field. */
export function normalizeRequest(body: Json): Json {
  const result: Json = {};
  for (const [given, value] of Object.entries(body)) {
    const name = camel(given);
    const field = OPAQUE.has(name) ? value : normalized(value);
    result[name] = LIST_FIELDS.has(name) && asObject(field) !== undefined ? [field] : field;
  }
  return result;
}
