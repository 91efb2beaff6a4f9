/**
 * Google's error messages for invalid fields.
 *
 * Source: error messages of the API as users report them ("Invalid JSON payload received. Unknown name …",
 * "* GenerateContentRequest.contents: contents is not specified").
 *
 * @module
 */
import { reject, type Wording } from "../body_checks.ts";

const TYPES = {
  string: "TYPE_STRING",
  number: "TYPE_FLOAT",
  integer: "TYPE_INT32",
  boolean: "TYPE_BOOL",
  array: "TYPE_MESSAGE",
  object: "TYPE_MESSAGE",
};

/** Errors name fields as in the Protocol Buffers definition: `generation_config.top_p`. */
function snake(path: string): string {
  return path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Rejects a well-formed field with an invalid value. */
export function rejectField(path: string, what: string): never {
  reject(`* GenerateContentRequest.${snake(path)}: ${what}\n`);
}

/** Rejects a field that does not exist. */
export function rejectUnknown(name: string, path: string): never {
  const place = path === "" ? "" : ` at '${snake(path)}'`;
  reject(`Invalid JSON payload received. Unknown name "${name}"${place}: Cannot find field.`);
}

/** Google's error messages. */
export const geminiWording: Wording = {
  at: (path, key) =>
    typeof key === "number" ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`,
  missing(path) {
    const name = snake(path).split(".").at(-1);
    rejectField(path, `${name} is not specified`);
  },
  type: (path, expected, value) =>
    reject(`Invalid value at '${snake(path)}' (${TYPES[expected]}), ${JSON.stringify(value)}`),
  range(path, _value, min, max) {
    const name = snake(path).split(".").at(-1);
    if (max === Infinity) rejectField(path, `${name} must be at least ${min}.`);
    rejectField(path, `${name} must be in the range [${min}, ${max}].`);
  },
  choice: (path, _allowed, value) =>
    reject(`Invalid value at '${snake(path)}' (TYPE_ENUM), ${JSON.stringify(value)}`),
  length(path, length, min, max) {
    const name = snake(path).replace(/\[\d+\]/g, "");
    const bound = length < min ? `at least ${min}` : `at most ${max}`;
    rejectField(
      path,
      length === 0 ? `${name} must not be empty.` : `${name} must have ${bound} items.`,
    );
  },
};

/** Whether `model` is one of Google's own. Other names get the rules of compatible servers. */
export function isGeminiModel(model: unknown): boolean {
  return typeof model === "string" && /^(models\/)?(gemini|gemma)-/.test(model);
}
