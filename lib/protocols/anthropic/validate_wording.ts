/**
 * Anthropic's error messages for invalid fields.
 *
 * Source: error messages of the API as users report them ("max_tokens: Field required").
 *
 * @module
 */
import { reject, type Wording } from "../body_checks.ts";

const NAMES = {
  string: "string",
  number: "number",
  integer: "integer",
  boolean: "boolean",
  array: "list",
  object: "dictionary",
};

function choices(values: readonly string[]): string {
  const quoted = values.map((value) => `'${value}'`);
  if (quoted.length < 2) return quoted.join("");
  return `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
}

/** Anthropic's error messages. */
export const anthropicWording: Wording = {
  at: (path, key) => path === "" ? String(key) : `${path}.${key}`,
  missing: (path) => reject(`${path}: Field required`),
  type: (path, expected) => reject(`${path}: Input should be a valid ${NAMES[expected]}`),
  range(path, value, min, max) {
    const [word, bound] = value < min ? ["greater", min] : ["less", max];
    reject(`${path}: Input should be ${word} than or equal to ${bound}`);
  },
  choice: (path, allowed) => reject(`${path}: Input should be ${choices(allowed)}`),
  length(path, length, min, max) {
    const [word, bound] = length < min ? ["least", min] : ["most", max];
    const items = bound === 1 ? "item" : "items";
    reject(
      `${path}: List should have at ${word} ${bound} ${items} after validation, not ${length}`,
    );
  },
};

/** Whether `model` is one of Anthropic's own. Other names get the rules of compatible servers. */
export function isClaudeModel(model: unknown): boolean {
  return typeof model === "string" && model.startsWith("claude-");
}
