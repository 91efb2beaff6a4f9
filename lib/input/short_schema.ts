/**
 * Parses the short form of schemas, `name, age int, tags [string]`, to JSON Schema.
 *
 * The grammar extends the one of simonw/llm: a field is a name, `?` if it may be null, a type and a
 * description after a colon. Fields are separated by commas or line breaks. Types are the words of
 * {@link TYPES}, `[type]` or `[fields]` for a list, `{fields}` for an object, and `(a|b)` for a choice.
 *
 * @module
 */
import { closest, distance } from "fastest-levenshtein";
import { InvalidInputError } from "../errors.ts";
import type { Json } from "../json/json.ts";

/** The JSON Schema types by their names in the short form. */
const TYPES: Readonly<Record<string, string>> = {
  int: "integer",
  integer: "integer",
  float: "number",
  number: "number",
  num: "number",
  bool: "boolean",
  boolean: "boolean",
  str: "string",
  string: "string",
  text: "string",
};

/** Names of types in other languages, and what to write instead. */
const OTHER_TYPES: readonly [names: RegExp, remedy: string][] = [
  [/^(array|list)$/i, "a list is written as [string] or [name, age int]."],
  [/^(object|dict|map)$/i, "an object is written as {name, age int}."],
  [/^(enum|literal)$/i, "a choice is written as (good|bad)."],
  [/^(null|optional|nullable)$/i, 'a field that may be null has a question mark: "age? int".'],
  [/^(date|time|datetime)$/i, 'a date is a string with a description: "due: as YYYY-MM-DD".'],
];

/** What looks like a type where a description is expected. */
const TYPE_AFTER_COLON = new RegExp(
  String.raw`[^\S\n]*(?:(?:${Object.keys(TYPES).join("|")})\??[^\S\n]*(?=[,\n\]}]|$)|` +
    String.raw`[[{]|\([^()\n]*\|)`,
  "y",
);
const TYPE_AT_START = /^\w/;

const HINT = 'Example: --schema "name, age int, tags [string], mood (good|bad)". ' +
  "To check a schema, run `flexllm schema`.";
const NAME = /[\p{L}_][\p{L}\p{N}_-]*/uy;
const BLANKS = /[^\S\n]*/y;
const BLANKS_AND_LINES = /\s*/y;
const BARE_CHOICE = /[^|()[\]{},:\n"]+/y;
const QUOTED = /"(?:[^"\\\n]|\\.)*"/y;
/** The deepest nesting, to protect the stack. */
const MAX_NESTING = 50;

const CLOSING: Readonly<Record<string, string>> = { "{": "}", "[": "]", "(": ")" };

/** An object that has all of its fields and no others, as OpenAI's strict mode requires. */
function objectOf(fields: Map<string, Json>): Json {
  return {
    type: "object",
    properties: Object.fromEntries(fields),
    required: [...fields.keys()],
    additionalProperties: false,
  };
}

/** The schema that also accepts null. Strict mode has no absent fields. */
function nullable(schema: Json): Json {
  const { type, enum: choices } = schema;
  if (type === "object" || type === "array") return { anyOf: [schema, { type: "null" }] };
  const orNull = { ...schema, type: [type, "null"] };
  return Array.isArray(choices) ? { ...orNull, enum: [...choices, null] } : orNull;
}

/** Parses one text. */
class ShortSchemaParser {
  readonly #text: string;
  /** Whether descriptions outside brackets end only at the end of the line. */
  readonly #isMultiline: boolean;
  #at = 0;
  #depth = 0;

  /** What messages call the text. */
  readonly #source: string;

  constructor(text: string, source: string) {
    this.#text = text;
    this.#source = source;
    this.#isMultiline = text.trim().includes("\n");
  }

  parse(): Json {
    this.#skip(BLANKS_AND_LINES);
    const [opening] = this.#rest();
    let schema: Json;
    if (opening === "{") schema = this.#type();
    else if (opening === "[") schema = objectOf(new Map([["items", this.#type()]]));
    else schema = objectOf(this.#fields(""));
    this.#skip(BLANKS_AND_LINES);
    if (this.#at < this.#text.length) throw this.#expected("the end of the schema");
    return schema;
  }

  /** Parses fields up to the bracket `end`, or to the end of the text if it is empty. */
  #fields(end: string): Map<string, Json> {
    const fields = new Map<string, Json>();
    for (;;) {
      this.#skip(BLANKS_AND_LINES);
      if (fields.size > 0 && this.#isAt(end)) return fields;
      const start = this.#at;
      const name = this.#take(NAME);
      if (name === undefined) throw this.#expected("a field name");
      if (fields.has(name)) throw this.#error(start, `the field "${name}" is given twice`);
      fields.set(name, this.#field(end));
      this.#skip(BLANKS);
      if (this.#isAt(end)) return fields;
      if (this.#rest()[0] === "\n") continue;
      if (!this.#eat(",")) {
        throw this.#expected(end === "" ? 'a comma, ":" or the end' : `a comma, ":" or "${end}"`);
      }
    }
  }

  /** Parses what follows a field's name. */
  #field(end: string): Json {
    const isOptional = this.#eat("?");
    this.#skip(BLANKS);
    const next = this.#rest()[0] ?? "";
    const hasType = next !== "" && next !== end && !",:\n".includes(next);
    const type = hasType ? this.#type() : { type: "string" };
    const schema = isOptional ? nullable(type) : type;
    this.#skip(BLANKS);
    if (!this.#eat(":")) return schema;
    if (!hasType) this.#refuseTypeAfterColon();
    const description = this.#description();
    return description === "" ? schema : { ...schema, description };
  }

  /** Refuses `age: int`, as in TypeScript and YAML: as a description it would make every field a string. */
  #refuseTypeAfterColon(): void {
    const start = this.#at;
    const type = this.#take(TYPE_AFTER_COLON)?.trim();
    this.#at = start;
    if (type === undefined) return;
    const problem = TYPE_AT_START.test(type)
      ? 'the type comes before the colon: write "age int", not "age: int"'
      : 'a type comes before the colon: "tags [string]", "mood (good|bad)"';
    throw this.#error(start, `${problem}; put a description in quotes`);
  }

  #description(): string {
    this.#skip(BLANKS);
    const quoted = this.#take(QUOTED);
    if (quoted !== undefined) return unquoted(quoted);
    const ends = this.#depth > 0 ? /[^,\n{}[\]]*/y : this.#isMultiline ? /[^\n]*/y : /[^,\n]*/y;
    return this.#take(ends)!.trim();
  }

  #type(): Json {
    const opening = this.#rest()[0];
    if (opening === "{" || opening === "[" || opening === "(") return this.#bracketed(opening);
    const start = this.#at;
    const word = this.#take(NAME);
    if (word === undefined) throw this.#expected("a type");
    if (Object.hasOwn(TYPES, word)) return { type: TYPES[word] };
    throw this.#unknownType(start, word);
  }

  #bracketed(opening: "{" | "[" | "("): Json {
    const start = this.#at++;
    if (++this.#depth > MAX_NESTING) {
      throw this.#error(start, `nested more than ${MAX_NESTING} levels deep`);
    }
    const closing = CLOSING[opening];
    let schema: Json;
    if (opening === "{") schema = objectOf(this.#fields(closing));
    else if (opening === "(") schema = { type: "string", enum: this.#choices() };
    else schema = { type: "array", items: this.#items() };
    this.#skip(BLANKS_AND_LINES);
    if (!this.#eat(closing)) throw this.#expected(`"${closing}" for the "${opening}"`, start);
    this.#depth--;
    return schema;
  }

  /** Parses the inside of `[…]`: a type, or the fields of objects. */
  #items(): Json {
    this.#skip(BLANKS_AND_LINES);
    if (this.#isAt("]")) return { type: "string" };
    const start = this.#at;
    if ("{[(".includes(this.#rest()[0] ?? " ")) return this.#type();
    const word = this.#take(NAME);
    this.#skip(BLANKS_AND_LINES);
    if (word !== undefined && this.#isAt("]")) {
      if (Object.hasOwn(TYPES, word)) return { type: TYPES[word] };
      throw this.#unknownType(start, word, ` For a list of objects, write [{${word}}].`);
    }
    this.#at = start;
    const fields = this.#fields("]");
    const list = this.#text.slice(start, this.#at).trim();
    // As a list of objects, it would have fields that are named like types.
    if (list.split(",").every((name) => Object.hasOwn(TYPES, name.trim()))) {
      throw this.#error(
        start,
        `expected one type, found "${list}"; for a list of objects with these fields, write [{${list}}]`,
      );
    }
    return objectOf(fields);
  }

  #choices(): string[] {
    const choices: string[] = [];
    do {
      this.#skip(BLANKS_AND_LINES);
      const start = this.#at;
      const quoted = this.#take(QUOTED);
      const choice = quoted === undefined ? this.#take(BARE_CHOICE)?.trim() : unquoted(quoted);
      if (!choice) throw this.#expected("a value, as in (good|bad)");
      if (choices.includes(choice)) {
        throw this.#error(start, `the value "${choice}" is given twice`);
      }
      choices.push(choice);
      this.#skip(BLANKS_AND_LINES);
    } while (this.#eat("|"));
    return choices;
  }

  #rest(): string {
    return this.#text.slice(this.#at, this.#at + 20);
  }

  #isAt(end: string): boolean {
    return end === "" ? this.#at >= this.#text.length : this.#text.startsWith(end, this.#at);
  }

  #eat(character: string): boolean {
    if (!this.#text.startsWith(character, this.#at)) return false;
    this.#at += character.length;
    return true;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #skip(pattern: RegExp): void {
    this.#take(pattern);
  }

  #unknownType(start: number, word: string, more = ""): InvalidInputError {
    const names = Object.keys(TYPES);
    const guess = closest(word, names);
    if (this.#text.slice(this.#at).trimStart().startsWith("|")) {
      return this.#error(start, "expected a choice in parentheses, such as (good|bad)");
    }
    const other = OTHER_TYPES.find(([names]) => names.test(word))?.[1];
    // A short word is near to everything, such as "set" to "int".
    const isNear = word[0] === guess[0] &&
      distance(word, guess) <= Math.min(2, Math.ceil(word.length / 2));
    const remedy = other ??
      (isNear
        ? `did you mean ${guess}?`
        : "types are str, int, float, bool, [list], {object} and (a|b); commas separate fields.");
    return this.#error(start, `unknown type "${word}": ${remedy}${more}`);
  }

  #expected(what: string, opening?: number): InvalidInputError {
    const rest = this.#rest().trim();
    const found = rest === "" ? "the end" : JSON.stringify(rest);
    const from = opening === undefined ? "" : ` at character ${opening + 1}`;
    return this.#error(this.#at, `expected ${what}${from}, found ${found}`);
  }

  #error(at: number, problem: string): InvalidInputError {
    const before = this.#text.slice(0, at).split("\n");
    const column = before.at(-1)!.length + 1;
    const place = this.#isMultiline
      ? `line ${before.length}, character ${column}`
      : `character ${column}`;
    return new InvalidInputError(`${this.#source}, ${place}: ${problem}`, { hint: HINT });
  }
}

function unquoted(text: string): string {
  return text.slice(1, -1).replace(/\\(.)/g, "$1");
}

/**
 * Converts a schema in short form to JSON Schema. Objects are closed and require all of their fields, as
 * OpenAI's strict mode and Anthropic demand; an optional field may be null instead. A list at the top,
 * `[name, age int]`, becomes an object with the field `items`, because providers require an object.
 *
 * @param source what messages call the text
 * @throws {InvalidInputError} if the text is not valid, with the position of the mistake
 */
export function parseShortSchema(text: string, source = "the schema"): Json {
  return new ShortSchemaParser(text.replaceAll("\r\n", "\n"), source).parse();
}
