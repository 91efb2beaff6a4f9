/**
 * Defines the columns of a table of results: fields of a result, or fields nested in them such as `parsed.stars`.
 *
 * @module
 */
import type { ResultRecord } from "../batch/journal/result_line.ts";
import { ConfigurationError } from "../errors.ts";
import { asObject } from "../json/json.ts";
import { similarName } from "../similar_name.ts";
import { lastUserText } from "./message_text.ts";

/** A column. */
export interface Column {
  name: string;
  /** Its value in a result of the file `file`. */
  value(record: ResultRecord, file: string): unknown;
}

/** Fields whose own fields can be columns. */
const GROUPS = ["parsed", "metadata", "usage", "options"] as const;

/** A field whose own fields can be columns. */
export type ColumnGroup = (typeof GROUPS)[number];

/** The fields of a result that can be columns. */
const FIELDS = [
  ...["index", "requested_model", "status", "output", "model", "finish_reason", "cost", "latency"],
  ...[
    "error_code",
    "error",
    "thinking",
    "tool_calls",
    "refusal",
    "citations",
    "logprobs",
    "cached",
  ],
  ...["at", "queued", "first_token", "attempts", "endpoint", "content_hash", "spent_before"],
  ...GROUPS,
] as const;

/** All names of columns, for messages and completions. A group, such as `parsed.*`, expands to its fields. */
export const COLUMN_NAMES: readonly string[] = [
  ...["file", "input", "messages"],
  ...FIELDS,
  ...GROUPS.map((group) => `${group}.*`),
];

/** The columns if none are named. Those that no result has are left out. */
export const DEFAULT_COLUMNS: readonly string[] = [
  ...["index", "requested_model", "status", "input", "output", "parsed.*", "metadata.*", "model"],
  ...["finish_reason", "usage.prompt_tokens", "usage.completion_tokens", "cost", "latency"],
  ...["error_code", "error"],
];

function isObject(value: unknown): value is Record<string, unknown> {
  return asObject(value) !== undefined;
}

/** Where a column's value is in a group. */
type Path = readonly string[];

/** The value at `path`. */
function valueAt(value: unknown, path: Path): unknown {
  for (const name of path) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** The value of a dotted name. Names of fields can contain dots themselves. */
function valueOfName(value: unknown, name: string): unknown {
  if (!isObject(value)) return undefined;
  if (Object.hasOwn(value, name)) return value[name];
  for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
    const found = valueOfName(value[name.slice(0, dot)], name.slice(dot + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

function fieldColumn(name: string): Column {
  if (name === "file") return { name, value: (_record, file) => file };
  if (name === "input") return { name, value: (record) => lastUserText(record) };
  if (name === "messages") return { name, value: ({ input }) => input };
  return { name, value: (record) => record[name as keyof ResultRecord] };
}

/** The column `name`; `undefined` if it is a group of fields. */
function columnOf(name: string): Column | ColumnGroup {
  const group = GROUPS.find((group) => name.startsWith(`${group}.`));
  if (group !== undefined) {
    const rest = name.slice(group.length + 1);
    if (rest === "*") return group;
    return { name, value: (record) => valueOfName(record[group], rest) };
  }
  if (COLUMN_NAMES.includes(name)) return fieldColumn(name);
  const similar = similarName(name, COLUMN_NAMES);
  const guess = similar === undefined ? "" : ` Did you mean ${similar}?`;
  throw new ConfigurationError(`there is no column named ${JSON.stringify(name)}`, {
    hint: `Columns: ${COLUMN_NAMES.join(", ")}.${guess}`,
  });
}

/** Maximum columns that a group expands to. */
const MAX_FIELDS = 1000;
/** Maximum depth of columns; objects nested deeper are written as JSON. */
const MAX_DEPTH = 10;

/** Collects the fields that a group has in any result. */
class GroupFields {
  readonly #group: ColumnGroup;
  readonly #paths = new Map<string, Path>();

  constructor(group: ColumnGroup) {
    this.#group = group;
  }

  add(record: ResultRecord): void {
    this.#add(record[this.#group], []);
  }

  #add(value: unknown, path: Path): void {
    if (value === undefined) return;
    if (isObject(value) && path.length < MAX_DEPTH) {
      const names = Object.keys(value);
      if (names.length > 0) {
        for (const name of names) this.#add(value[name], [...path, name]);
        return;
      }
      if (path.length === 0) return;
    }
    const name = [this.#group, ...path].join(".");
    if (this.#paths.has(name)) return;
    if (this.#paths.size === MAX_FIELDS) {
      throw new ConfigurationError(
        `${this.#group} has more than ${MAX_FIELDS} different fields, too many for columns`,
        { hint: `Name the columns, such as --columns index,output,${this.#group}` },
      );
    }
    this.#paths.set(name, path);
  }

  get columns(): Column[] {
    return [...this.#paths].map(([name, path]) => ({
      name,
      // An object is in the columns of its fields.
      value: (record: ResultRecord) => {
        const value = valueAt(record[this.#group], path);
        return isObject(value) && Object.keys(value).length > 0 && path.length < MAX_DEPTH
          ? undefined
          : value;
      },
    }));
  }
}

/** Determines the columns of a table in one pass over its results. */
export class ColumnFinder {
  readonly #columns: readonly (Column | GroupFields)[];
  readonly #used: boolean[];
  readonly #isDefault: boolean;

  /**
   * @param names the columns in their order; without any, {@link DEFAULT_COLUMNS}
   * @throws {ConfigurationError} if there is no such column
   */
  constructor(names: readonly string[] | undefined) {
    this.#isDefault = names === undefined;
    this.#columns = (names ?? DEFAULT_COLUMNS).map((name) => {
      const column = columnOf(name);
      return typeof column === "string" ? new GroupFields(column) : column;
    });
    this.#used = this.#columns.map(() => false);
  }

  /** Whether all columns are known before the results have been read. */
  get isKnown(): boolean {
    return !this.#isDefault && !this.#columns.some((column) => column instanceof GroupFields);
  }

  /** Adds a result. */
  add(record: ResultRecord): void {
    for (const [i, column] of this.#columns.entries()) {
      if (column instanceof GroupFields) column.add(record);
      else if (this.#isDefault && !this.#used[i]) {
        const value = column.value(record, "");
        this.#used[i] = value !== undefined && value !== null;
      }
    }
  }

  /** The columns of a table of all results that were added. */
  get columns(): Column[] {
    return this.#columns.flatMap((column, i) => {
      if (column instanceof GroupFields) return column.columns;
      return this.#isDefault && !this.#used[i] ? [] : [column];
    });
  }
}
