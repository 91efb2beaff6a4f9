/**
 * Determines from the flags how an input is read.
 *
 * @module
 */
import { closest, distance } from "fastest-levenshtein";
import { ConfigurationError, InvalidInputError } from "../errors.ts";
import { CONTENT_FIELDS, PROMPT_DATA_FIELDS } from "./record_content.ts";
import type { BatchSource } from "./input_source.ts";
import { inputHint } from "./open_file.ts";
import { OPTION_FIELDS } from "./option_fields.ts";
import type { RecordTemplate } from "./record_template.ts";
import type { ReadOptions } from "./records.ts";
import type { Selection } from "./selection.ts";
import { columnHint } from "./suggest_template.ts";
import { loadTemplate, Template, unknownField } from "./template.ts";

/** The flags that affect how an input is read. */
export interface ReadFlags extends Selection {
  system?: string;
  skipInvalid?: boolean;
  /** A template for the user message, or `@` and the path of a file that contains one. */
  template?: string;
  /** Fields that are metadata although they are named like options or prompts. */
  asMetadata?: readonly string[];
  /** The saved template of `--as`. */
  recordTemplate?: RecordTemplate;
  /** Whether to leave out an answer at the end of `messages`. */
  dropAnswer?: boolean;
}

/**
 * The options for reading `input`.
 *
 * @throws {ConfigurationError} if a template cannot be read, or `asMetadata` names a field that is
 *   metadata anyway
 * @throws {InvalidInputError} if `input` is a table without the columns that records need
 */
export function readOptions(input: BatchSource, flags: ReadFlags): ReadOptions {
  const { system, skipInvalid, asMetadata, dropAnswer, recordTemplate } = flags;
  const { limit, shard, retryFailed } = flags;
  const names = [...OPTION_FIELDS.keys()];
  for (const name of asMetadata ?? []) {
    if (OPTION_FIELDS.has(name) || PROMPT_DATA_FIELDS.includes(name)) continue;
    const guess = closest(name, names);
    const hint = distance(name, guess) <= name.length / 2 ? `Did you mean "${guess}"? ` : "";
    throw new ConfigurationError(`--as-metadata: the field "${name}" is not an option`, {
      hint: `${hint}Options are ${names.join(", ")}.`,
    });
  }
  // The prompts of files are rendered when they are opened.
  if (input.isFiles) {
    const others = { skipInvalid, limit, shard, retryFailed, recordTemplate };
    return flags.template === undefined ? { ...others, system } : others;
  }
  const template = flags.template === undefined ? undefined : loadTemplate(flags.template);
  const systemTemplate = template && system !== undefined
    ? new Template(system, "the system prompt")
    : system;
  const selection = { limit, shard, retryFailed };
  const options = { skipInvalid, asMetadata, dropAnswer, recordTemplate, ...selection };
  const read: ReadOptions = { ...options, template, system: systemTemplate };
  for (const { name, columns } of input.files) {
    if (columns !== undefined) checkColumns(name, columns, read);
  }
  return read;
}

/** Throws if records cannot be read from a table with these columns. */
function checkColumns(name: string, columns: readonly string[], options: ReadOptions): void {
  if (columns.length === 0) {
    throw new InvalidInputError(`${name} contains no records`, { hint: inputHint(name) });
  }
  const { template, system } = options;
  if (template === undefined) {
    const absent = options.recordTemplate?.missingFrom(columns);
    if (absent !== undefined) {
      throw new InvalidInputError(unknownField(absent, `the columns of ${name} are`, columns), {
        hint: `For the same value in every record, add --var ${absent}=…`,
      });
    }
    if (columns.some((column) => CONTENT_FIELDS.includes(column))) return;
    if (options.recordTemplate?.fits(columns)) return;
    if (columns.length === 1 && columns[0] === "text") return;
    const found = columns.map((column) => JSON.stringify(column)).join(", ");
    throw new InvalidInputError(
      `${name}: expected a column "q", "question", "prompt", "instruction" or "input", found ${found}`,
      {
        hint: columns.length === 1
          ? "Set the prompt with --template, or the cell delimiter with --delimiter."
          : columnHint(columns),
      },
    );
  }
  const wanted = [...template.fields, ...typeof system === "object" ? system.fields : []];
  const missing = wanted.find((field) => !columns.includes(field));
  if (missing === undefined) return;
  throw new InvalidInputError(unknownField(missing, `the columns of ${name} are`, columns));
}
