/**
 * Deep merging of JSON objects.
 *
 * @module
 */
import { asObject, type Json } from "./json.ts";

/**
 * A copy of `base` with the fields of `over`, which win. Objects are merged deeply; everything else,
 * lists included, is replaced.
 */
export function mergeFields(base: Json, over: Json): Json {
  const merged = new Map(Object.entries(base));
  for (const [name, value] of Object.entries(over)) {
    const [own, given] = [asObject(merged.get(name)), asObject(value)];
    merged.set(name, own !== undefined && given !== undefined ? mergeFields(own, given) : value);
  }
  return Object.fromEntries(merged);
}
