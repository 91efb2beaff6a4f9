/**
 * Normalizes the many ways to write a request to Gemini.
 *
 * Source: the JSON mapping of protocol buffers: names in camel case or as they are declared; a single
 * message in place of a list of one is accepted as well.
 *
 * @module
 */
import { asObject, type Json } from "../json/json.ts";

/** Values whose names are the caller's own. */
const OPAQUE = new Set([
  ...["args", "response", "labels", "partMetadata", "variables"],
  ...["parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema", "schema"],
]);
/** Fields that hold lists. */
const LISTS = new Set(["contents", "parts", "tools", "functionDeclarations", "safetySettings"]);

function camel(name: string): string {
  return name.includes("_") ? name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase()) : name;
}

function normalized(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normalized);
  const object = asObject(value);
  return object === undefined ? value : geminiBody(object);
}

/** The body with all names in camel case, and lists where lists are meant. */
export function geminiBody(body: Json): Json {
  const result: Json = {};
  for (const [given, value] of Object.entries(body)) {
    const name = camel(given);
    const field = OPAQUE.has(name) ? value : normalized(value);
    result[name] = LISTS.has(name) && asObject(field) !== undefined ? [field] : field;
  }
  return result;
}
