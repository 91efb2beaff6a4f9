/**
 * The fields of an input record that are options for this record alone.
 *
 * @module
 */
import { toolChoiceProblem } from "../chat/normalize.ts";
import { THINKING_LEVELS } from "../chat/options.ts";
import { type RecordOptions, WIRE_NAMES } from "../chat/record_options.ts";
import { asNumber, asObject, isRawNumber, isTooDeep, type Json, parseExact } from "../json/json.ts";

/** How a value of the file becomes an option. */
interface OptionField {
  option: keyof RecordOptions;
  /** Words for what is accepted. */
  expected: string;
  accepts: (value: unknown) => boolean;
}

/** Fields by their name in the file. */
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

/** Also those that a double cannot hold: some servers have 64 bits for them. */
function isWhole(value: unknown): boolean {
  return Number.isSafeInteger(asNumber(value)) ||
    isRawNumber(value) && /^-?\d+$/.test(value.rawJSON);
}

function isName(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function isTool(value: unknown): boolean {
  const tool = asObject(value);
  if (tool === undefined || Object.keys(tool).length === 0) return false;
  // Other tools are the provider's own, and are sent as they are.
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
  ["model", "the name of a model", isName],
  ["temperature", "a number", isNumber],
  ["topP", "a number", isNumber],
  ["topK", "a whole number of at least 1", isCount],
  ["maxTokens", "a whole number of at least 1", isCount],
  ["seed", "a whole number", isWhole],
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
    'an array of {"type": "function", "function": {"name": …}} or tools of the provider',
    (value) => Array.isArray(value) && value.every(isTool),
  ],
  [
    "toolChoice",
    '"none", "auto", "required", {"type": "function", "function": {"name": …}} or allowed_tools',
    (value) => toolChoiceProblem(value) === undefined,
  ],
  ["parallelToolCalls", "true or false", (value) => typeof value === "boolean"],
  ["extraBody", "an object with fields for the request", (value) => asObject(value) !== undefined],
];

/** Every field that is an option. */
export const OPTION_FIELDS: OptionFields = new Map(
  CHECKS.flatMap(([option, expected, accepts]): [string, OptionField][] => {
    const field = { option, expected, accepts };
    const named: [string, OptionField] = [WIRE_NAMES[option], field];
    // OpenAI's newer name of the same.
    return option === "maxTokens" ? [named, ["max_completion_tokens", field]] : [named];
  }),
);

/** The fields that are options when those in `data` are not. */
export function optionFieldsWithout(data: Iterable<string>): OptionFields {
  const fields = new Map(OPTION_FIELDS);
  for (const name of data) fields.delete(name);
  return fields;
}

/** A cell of a table as the value that it is meant to be; `null` when it is empty. */
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

/** How a value is shown in a message. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/**
 * Reads the option `name` into `options`; says what is wrong when it cannot be one. `null` and empty
 * cells are as if left out.
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
  // A data set may call a column so and mean something else.
  const isData = `; if it is data: --as-metadata ${name.replace("body.", "")}`;
  if (!field.accepts(read)) {
    return `${name}: expected ${field.expected}, got ${shown(value)}${isData}`;
  }
  if (options[field.option] !== undefined) {
    return `${name}: the same option is given twice${isData}`;
  }
  // The others are sent as they were written.
  const isCounted = ["maxTokens", "topK", "thinking"].includes(field.option);
  (options as Json)[field.option] = isCounted ? asNumber(read) ?? read : read;
  return undefined;
}
