/**
 * Merges the user's `extraBody` into an encoded request body.
 *
 * @module
 */
import { APPENDED } from "../chat/extra_body.ts";
import { canonicalJson } from "../json/canonical.ts";
import { asObject, type Json } from "../json/json.ts";
import { ConfigurationError } from "../errors.ts";

/**
 * Merges `extra` into `body` in place: objects are merged deeply, `tools` and `include` are appended.
 *
 * @param defaults paths (`max_tokens`, `reasoning.summary`) of fields that hold our defaults, which
 *   `extra` may replace
 * @throws {ConfigurationError} when both set one field to different values; names the field
 */
export function mergeExtraBody(
  body: Json,
  extra: Record<string, unknown> | undefined,
  defaults: readonly string[] = [],
): Json {
  if (extra !== undefined) merge(body, extra, "", defaults);
  return body;
}

function merge(body: Json, extra: Json, prefix: string, defaults: readonly string[]): void {
  for (const [name, value] of Object.entries(extra)) {
    if (value === undefined) continue;
    const path = prefix + name;
    const own = body[name];
    if (own === undefined || defaults.includes(path)) {
      body[name] = value;
    } else if (APPENDED.has(path) && Array.isArray(own) && Array.isArray(value)) {
      body[name] = [...own, ...value];
    } else if (asObject(own) !== undefined && asObject(value) !== undefined) {
      // The object may belong to the caller, as a schema does.
      const copy = { ...asObject(own) };
      body[name] = copy;
      merge(copy, asObject(value)!, `${path}.`, defaults);
    } else if (canonicalJson(own) !== canonicalJson(value)) {
      throw new ConfigurationError(
        `extraBody.${path} is ${show(value)}, but the request already sets it to ${show(own)}`,
        { hint: "Set it in one place only." },
      );
    }
  }
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}
