/**
 * Merges additional fields of request bodies: of an endpoint, of a batch and of one record.
 *
 * @module
 */
import { asObject, type Json } from "../json/json.ts";

/** Paths of lists that are appended to instead of replaced. */
export const APPENDED: ReadonlySet<string> = new Set(["tools", "include"]);

/**
 * Merges `own` over `defaults`: objects deeply, `tools` and `include` by appending, otherwise `own` wins.
 * Modifies neither.
 */
export function withExtraBody(
  defaults: Json | undefined,
  own: Json | undefined,
  prefix = "",
): Json | undefined {
  if (defaults === undefined || own === undefined) return own ?? defaults;
  const merged: Json = { ...defaults };
  for (const [name, value] of Object.entries(own)) {
    const path = prefix + name;
    const before = merged[name];
    if (asObject(before) !== undefined && asObject(value) !== undefined) {
      merged[name] = withExtraBody(asObject(before), asObject(value), `${path}.`);
    } else if (APPENDED.has(path) && Array.isArray(before) && Array.isArray(value)) {
      merged[name] = [...before, ...value];
    } else if (value !== undefined) merged[name] = value;
  }
  return merged;
}
