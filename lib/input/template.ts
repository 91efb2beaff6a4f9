/**
 * Renders templates with the fields of a record: `Summarize: {{text}}`.
 *
 * `\{{` is two literal braces, `\\{{` a backslash before a placeholder. In a longer run of braces, the last
 * two start the placeholder, so that a template can be JSON.
 *
 * @module
 */
import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { ConfigurationError, InvalidInputError } from "../errors.ts";
import { asObject, type Json } from "../json/json.ts";
import { fileReason } from "../files/reasons.ts";
import { NOT_UTF8 } from "./foreign_format.ts";
import { similarName } from "../similar_name.ts";

const OPENING = /(\\*)(\{{2,})/g;
const NAME = /([^{}]*)\}\}/y;

function has(value: unknown, name: string): value is Json {
  return (Array.isArray(value) || asObject(value) !== undefined) &&
    Object.hasOwn(value as Json, name);
}

/** The value of a field of a record: a field of that name, or a path of names separated by dots. */
export function valueAt(fields: Json, path: string): unknown {
  if (Object.hasOwn(fields, path)) return fields[path];
  let value: unknown = fields;
  for (const name of path.split(".")) {
    if (!has(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** The problem with a placeholder that matches none of `names`, with a suggestion. */
export function unknownField(field: string, owner: string, names: readonly string[]): string {
  const list = names.map((name) => `"${name}"`).join(", ") || "none";
  const guess = similarName(field, names);
  const suggestion = guess === undefined ? "" : ` (did you mean {{${guess}}}?)`;
  return `the template uses {{${field}}}${suggestion}, but ${owner} ${list}`;
}

/** A parsed template. */
export class Template {
  /** The fields that it uses. */
  readonly fields: ReadonlySet<string>;
  /** Text and field names alternating, starting and ending with text. */
  readonly #parts: readonly string[];

  /**
   * Parses a template.
   *
   * @param name what messages call it
   * @throws {ConfigurationError} if a placeholder is not closed or empty
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
          `${name}, character ${end - 1}: expected a field name and }} after {{, got ${
            JSON.stringify(text.slice(end, end + 20))
          }`,
          { hint: "Write \\{{ for two literal braces." },
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
   * Renders the template for one record. Strings are inserted as they are, other values as JSON.
   * `missing` is the first field that the record lacks.
   */
  render(fields: Json): { text: string } | { missing: string } {
    let text = this.#parts[0];
    for (let i = 1; i < this.#parts.length; i += 2) {
      const value = valueAt(fields, this.#parts[i]);
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
    // Editors end a file with a newline, and may start it with a byte order mark.
    return bytes.toString("utf8").replace(/^\ufeff/, "").replace(/\r?\n$/, "");
  } catch (cause) {
    if (cause instanceof InvalidInputError) throw cause;
    throw new ConfigurationError(`cannot read the template ${path}: ${fileReason(cause)}`, {
      cause,
      hint: 'If the template itself starts with @, write "\\@…".',
    });
  }
}

/**
 * Loads the template of a flag: its text, or after `@` the path of a file.
 *
 * @param options.allowsConstant whether the template may use no field
 * @throws {ConfigurationError} if the file cannot be read, or the template uses no field
 */
export function loadTemplate(given: string, { allowsConstant = false } = {}): Template {
  const path = given.startsWith("@") ? given.slice(1) : undefined;
  const text = path === undefined ? given.replace(/^\\@/, "@") : readTemplate(path);
  const template = new Template(text, path ?? "the template");
  if (template.fields.size > 0 || allowsConstant) return template;
  throw new ConfigurationError(
    `${path ?? "the template"} has no {{field}}, so all records would have the same prompt`,
    { hint: 'Put a field of the input in double braces: --template "Summarize: {{text}}"' },
  );
}
