/**
 * Further fields of request bodies, which can be given for an endpoint, for a batch and for one record.
 *
 * @module
 */
import { asObject, type Json } from "../json/json.ts";

/** Lists that are extended instead of replaced, by their path in the body. */
export const APPENDED: ReadonlySet<string> = new Set(["tools", "include"]);

/**
 * Merges `own` over `defaults`: objects deeply, `tools` and `include` by appending; otherwise `own` wins.
 * Changes neither.
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
