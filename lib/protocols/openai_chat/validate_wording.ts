/**
 * OpenAI's error messages for invalid fields.
 *
 * Source: error bodies of the API as users report them ("Invalid 'temperature': decimal above maximum
 * value …", code `decimal_above_max_value`).
 *
 * @module
 */
import { type Expected, reject, typeNameOf, type Wording } from "../body_checks.ts";

const NAMES: Record<string, string> = {
  string: "a string",
  number: "a decimal",
  integer: "an integer",
  boolean: "a boolean",
  array: "an array",
  object: "an object",
  null: "null",
};

function named(value: unknown, expected: Expected): string {
  if (expected === "integer" && typeof value === "number") return "a decimal";
  const isInteger = typeof value === "number" && Number.isInteger(value);
  return NAMES[isInteger ? "integer" : typeNameOf(value)] ?? "an unknown type";
}

/** Joins values to `'a', 'b', and 'c'`. */
export function quotedList(values: readonly string[]): string {
  const quoted = values.map((value) => `'${value}'`);
  if (quoted.length < 3) return quoted.join(" and ");
  return `${quoted.slice(0, -1).join(", ")}, and ${quoted.at(-1)}`;
}

/** OpenAI's error messages. */
export const openaiWording: Wording = {
  at: (path, key) =>
    typeof key === "number" ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`,
  missing: (path) =>
    reject(`Missing required parameter: '${path}'.`, path, "missing_required_parameter"),
  type: (path, expected, value) =>
    reject(
      `Invalid type for '${path}': expected ${NAMES[expected]}, but got ${
        named(value, expected)
      } instead.`,
      path,
      "invalid_type",
    ),
  range(path, value, min, max, integer) {
    const kind = integer ? "integer" : "decimal";
    const isBelow = value < min;
    const [side, sign, bound] = isBelow
      ? ["below minimum", ">=", min]
      : ["above maximum", "<=", max];
    reject(
      `Invalid '${path}': ${kind} ${side} value. Expected a value ${sign} ${bound}, but got ${value} instead.`,
      path,
      `${kind}_${isBelow ? "below_min" : "above_max"}_value`,
    );
  },
  choice: (path, allowed, value) =>
    reject(
      `Invalid value: '${value}'. Supported values are: ${quotedList(allowed)}.`,
      path,
      "invalid_value",
    ),
  length(path, length, min, max) {
    if (length === 0) {
      reject(
        `Invalid '${path}': empty array. Expected an array with minimum length ${min}, but got an empty array instead.`,
        path,
        "empty_array",
      );
    }
    const [side, word, bound] = length < min ? ["short", "minimum", min] : ["long", "maximum", max];
    reject(
      `Invalid '${path}': array too ${side}. Expected an array with ${word} length ${bound}, but got an array with length ${length} instead.`,
      path,
      length < min ? "array_below_min_length" : "array_above_max_length",
    );
  },
};

/**
 * Whether `model` is one of OpenAI's own. Other names get the rules of compatible servers, which accept
 * more fields and parts and ignore unknown ones.
 */
export function isOpenAIModel(model: unknown): boolean {
  return typeof model === "string" &&
    /^(ft:)?(gpt-[345678]|chatgpt-|o[1-9](-|$)|codex-)/.test(model);
}
