/**
 * Reads the fields of an input record that are options for that record only.
 *
 * @module
 */
import { toolChoiceProblem } from "../chat/normalize.ts";
import { THINKING_LEVELS } from "../chat/options.ts";
import { type RecordOptions, WIRE_NAMES } from "../chat/record_options.ts";
import { asNumber, asObject, isRawNumber, isTooDeep, type Json, parseExact } from "../json/json.ts";

/** An option that can be a field of a record. */
interface OptionField {
  option: keyof RecordOptions;
  /** What is accepted, for messages: "a number". */
  expected: string;
  accepts: (value: unknown) => boolean;
}

/** Options by field name. */
export type OptionFields = ReadonlyMap<string, OptionField>;

const THINKING: readonly unknown[] = [true, false, ...THINKING_LEVELS];

function isNumber(value: unknown): boolean {
  const number = asNumber(value);
  return number !== undefined && Number.isFinite(number);
}

function isCount(value: unknown): boolean {
  const number = asNumber(value);
  return Number.isSafeInteger(number) && number! >= 1;
}

/** Whether `value` is an integer, also one that a double cannot represent: some servers use 64 bits. */
function isInteger(value: unknown): boolean {
  return Number.isSafeInteger(asNumber(value)) ||
    isRawNumber(value) && /^-?\d+$/.test(value.rawJSON);
}

function isName(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function isTool(value: unknown): boolean {
  const tool = asObject(value);
  if (tool === undefined || Object.keys(tool).length === 0) return false;
  // Other types are the provider's own tools, which are sent unchanged.
  return tool.type !== "function" || isName(asObject(tool.function)?.name);
}

function isResponseFormat(value: unknown): boolean {
  const format = asObject(value);
  if (format?.type === "text" || format?.type === "json_object") return true;
  const schema = asObject(format?.json_schema);
  return format?.type === "json_schema" && isName(schema?.name) &&
    asObject(schema?.schema) !== undefined;
}

type Check = [option: keyof RecordOptions, expected: string, accepts: (value: unknown) => boolean];

const CHECKS: readonly Check[] = [
  ["model", "a model name", isName],
  ["temperature", "a number", isNumber],
  ["topP", "a number", isNumber],
  ["topK", "an integer ≥ 1", isCount],
  ["maxTokens", "an integer ≥ 1", isCount],
  ["seed", "an integer", isInteger],
  ["presencePenalty", "a number", isNumber],
  ["frequencyPenalty", "a number", isNumber],
  [
    "stop",
    "a string or an array of strings",
    (value) => [value].flat().every((each) => typeof each === "string"),
  ],
  [
    "thinking",
    `true, false, ${THINKING_LEVELS.join(", ")} or a number of tokens`,
    (value) => THINKING.includes(value) || isCount(value),
  ],
  [
    "responseFormat",
    'an object with a "type" of text, json_object or json_schema (with its name and schema)',
    isResponseFormat,
  ],
  [
    "tools",
    'an array of {"type": "function", "function": {"name": …}} or provider tools',
    (value) => Array.isArray(value) && value.every(isTool),
  ],
  [
    "toolChoice",
    '"none", "auto", "required", {"type": "function", "function": {"name": …}} or allowed_tools',
    (value) => toolChoiceProblem(value) === undefined,
  ],
  ["parallelToolCalls", "true or false", (value) => typeof value === "boolean"],
  ["extraBody", "an object with fields of the request", (value) => asObject(value) !== undefined],
];

/** Every field that is an option. */
export const OPTION_FIELDS: OptionFields = new Map(
  CHECKS.flatMap(([option, expected, accepts]): [string, OptionField][] => {
    const field = { option, expected, accepts };
    const named: [string, OptionField] = [WIRE_NAMES[option], field];
    // OpenAI's newer name for the same option.
    return option === "maxTokens" ? [named, ["max_completion_tokens", field]] : [named];
  }),
);

/** All option fields except those in `data`. */
export function optionFieldsWithout(data: Iterable<string>): OptionFields {
  const fields = new Map(OPTION_FIELDS);
  for (const name of data) fields.delete(name);
  return fields;
}

/** The value that a cell of a table represents; `null` if it is empty. */
function cellValue(cell: string, { option }: OptionField): unknown {
  const text = cell.trim();
  if (text === "") return null;
  if (/^[[{]/.test(text)) {
    try {
      const value = parseExact(text);
      return isTooDeep(value) ? cell : value;
    } catch {
      return cell;
    }
  }
  if (option === "stop") return cell;
  if (option === "model") return text;
  if (/^-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?$/i.test(text)) return parseExact(text);
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  // Spreadsheets write TRUE.
  return /^(true|false)$/i.test(text) ? text.toLowerCase() === "true" : text;
}

/** A value as JSON for a message, shortened to 60 characters. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/**
 * Reads the field `name` into `options`. `null` and empty cells set nothing. Returns what is wrong with
 * the value, if anything.
 */
export function readOption(
  options: RecordOptions,
  name: string,
  field: OptionField,
  value: unknown,
  isTable: boolean,
): string | undefined {
  const read = isTable && typeof value === "string" ? cellValue(value, field) : value;
  if (read === null || read === undefined) return undefined;
  // A dataset may use the name for something else.
  const isData = `; if this field is data, use --as-metadata ${name.replace("body.", "")}`;
  if (!field.accepts(read)) {
    return `${name}: expected ${field.expected}, got ${shown(value)}${isData}`;
  }
  if (options[field.option] !== undefined) {
    return `${name}: this option is set twice${isData}`;
  }
  // All other numbers are sent as written.
  const isCounted = ["maxTokens", "topK", "thinking"].includes(field.option);
  (options as Json)[field.option] = isCounted ? asNumber(read) ?? read : read;
  return undefined;
}
