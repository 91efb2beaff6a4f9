/**
 * Texts with the fields of a record in them: `Summarise: {{text}}`.
 *
 * Backslashes before `{{` are doubled, and one more makes the two braces text. In a longer run of
 * braces the last two begin the placeholder, so that JSON can be written around one.
 *
 * @module
 */
import { closest, distance } from "fastest-levenshtein";
import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { ConfigurationError, InvalidInputError } from "../errors.ts";
import { asObject, type Json } from "../json/json.ts";
import { fileReason } from "../files/reasons.ts";
import { NOT_UTF8 } from "./foreign_format.ts";

const OPENING = /(\\*)(\{{2,})/g;
const NAME = /([^{}]*)\}\}/y;

function has(value: unknown, name: string): value is Json {
  return (Array.isArray(value) || asObject(value) !== undefined) &&
    Object.hasOwn(value as Json, name);
}

/** The value of a field: of the whole name, or, with dots, of what is inside others. */
function fieldOf(fields: Json, path: string): unknown {
  if (Object.hasOwn(fields, path)) return fields[path];
  let value: unknown = fields;
  for (const name of path.split(".")) {
    if (!has(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** What is wrong with a placeholder that none of `names` fits, and which one may be meant. */
export function unknownField(field: string, owner: string, names: readonly string[]): string {
  const list = names.map((name) => `"${name}"`).join(", ") || "none at all";
  const nearest = names.length > 0 ? closest(field, names) : "";
  const isNear = distance(field, nearest) <= Math.max(2, field.length / 2) && nearest !== "";
  const meant = isNear ? ` (did you mean {{${nearest}}}?)` : "";
  return `the template wants {{${field}}}${meant}, but ${owner} ${list}`;
}

/** A text with placeholders, read once. */
export class Template {
  /** The fields that it wants, each once. */
  readonly fields: ReadonlySet<string>;
  /** Text and field by turns, beginning and ending with text. */
  readonly #parts: readonly string[];

  /**
   * Reads `text`, which messages call `name`.
   *
   * @throws {ConfigurationError} when a placeholder is not closed or names no field
   */
  constructor(text: string, name: string) {
    const parts: string[] = [];
    let literal = "";
    let end = 0;
    for (OPENING.lastIndex = 0;;) {
      const opening = OPENING.exec(text);
      if (opening === null) break;
      const [, slashes, braces] = opening;
      literal += text.slice(end, opening.index) + "\\".repeat(slashes.length >> 1);
      if (slashes.length % 2 === 1) {
        literal += "{{";
        end = OPENING.lastIndex = opening.index + slashes.length + 2;
        continue;
      }
      literal += braces.slice(2);
      end = OPENING.lastIndex;
      NAME.lastIndex = end;
      const field = NAME.exec(text)?.[1].trim();
      if (!field) {
        throw new ConfigurationError(
          `${name}, character ${end - 1}: expected the name of a field and }} after {{, got ${
            JSON.stringify(text.slice(end, end + 20))
          }`,
          { hint: "Write \\{{ for two braces that are text." },
        );
      }
      parts.push(literal, field);
      literal = "";
      end = OPENING.lastIndex = NAME.lastIndex;
    }
    this.#parts = [...parts, literal + text.slice(end)];
    this.fields = new Set(this.#parts.filter((_, i) => i % 2 === 1));
  }

  /**
   * The text for one record: texts as they are, all other values as JSON. The name of the first field
   * that the record does not have comes back as `missing`.
   */
  render(fields: Json): { text: string } | { missing: string } {
    let text = this.#parts[0];
    for (let i = 1; i < this.#parts.length; i += 2) {
      const value = fieldOf(fields, this.#parts[i]);
      if (value === undefined) return { missing: this.#parts[i] };
      text += (typeof value === "string" ? value : JSON.stringify(value)) + this.#parts[i + 1];
    }
    return { text };
  }
}

function readTemplate(path: string): string {
  try {
    const bytes = readFileSync(path);
    if (!isUtf8(bytes)) throw new InvalidInputError(`the template ${path} is ${NOT_UTF8}`);
    // An editor ends every file with a newline, and may begin it with a byte order mark.
    return bytes.toString("utf8").replace(/^\ufeff/, "").replace(/\r?\n$/, "");
  } catch (cause) {
    if (cause instanceof InvalidInputError) throw cause;
    throw new ConfigurationError(`cannot read the template ${path}: ${fileReason(cause)}`, {
      cause,
      hint: 'A template that is no file but begins with @ is written "\\@…".',
    });
  }
}

/**
 * The template that a flag gives: its text, or, after `@`, the file that holds it.
 *
 * @throws {ConfigurationError} when the file cannot be read, or no field is in the template
 */
export function loadTemplate(given: string): Template {
  const path = given.startsWith("@") ? given.slice(1) : undefined;
  const text = path === undefined ? given.replace(/^\\@/, "@") : readTemplate(path);
  const template = new Template(text, path ?? "the template");
  if (template.fields.size > 0) return template;
  throw new ConfigurationError(
    `${path ?? "the template"} has no {{field}}, so every record would ask the same`,
    { hint: 'Name a field of the input in two braces: --template "Summarise: {{text}}"' },
  );
}
