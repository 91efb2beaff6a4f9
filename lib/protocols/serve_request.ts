/**
 * Splits request bodies into options and other fields, for the decoders of all formats.
 *
 * @module
 */
import type { SamplingOptions } from "../chat/options.ts";
import type { Json } from "../json/json.ts";

/** The name of a response format that the API does not name. */
export const UNNAMED_FORMAT = "answer";

/** The options that fields of a body set, by the name of the field. */
export type OptionNames = Readonly<Record<string, keyof SamplingOptions>>;

/**
 * Splits a body into options and all other fields. `null` means the default in every API, so such fields
 * are left out.
 */
export function splitOptions(
  body: Json,
  names: OptionNames,
): { options: SamplingOptions; rest: Json } {
  const options: Json = {};
  const rest: Json = {};
  for (const name in body) {
    const value = body[name];
    if (value === null || value === undefined) continue;
    if (Object.hasOwn(names, name)) options[names[name]] = value;
    else rest[name] = value;
  }
  return { options: options as SamplingOptions, rest };
}

/** `object` without `names` and without `undefined` fields; `undefined` if nothing is left. */
export function remaining(object: Json, ...names: string[]): Json | undefined {
  const fields = Object.entries(object).filter(([name, value]) =>
    value !== undefined && !names.includes(name)
  );
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}

/** The number of requested answers; 1 if `count` is not a number. */
export function choicesOf(count: unknown): number {
  return typeof count === "number" ? Math.min(Math.max(1, Math.floor(count)), 128) : 1;
}
