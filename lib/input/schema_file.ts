/**
 * Reads the schema for structured answers: JSON, a file, or the short form.
 *
 * @module
 */
import { type Buffer, isUtf8 } from "node:buffer";
import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import type { JsonSchemaFormat } from "../chat/options.ts";
import { InvalidInputError } from "../errors.ts";
import { asObject, isTooDeep, MAX_DEPTH, parseExact } from "../json/json.ts";
import { jsonProblem } from "../json/problem.ts";
import { fileReason } from "../files/reasons.ts";
import { NOT_UTF8 } from "./foreign_format.ts";
import { parseShortSchema } from "./short_schema.ts";

type Fields = Record<string, unknown>;

const TYPES = ["array", "boolean", "integer", "null", "number", "object", "string"];

function isObject(value: unknown): value is Fields {
  return asObject(value) !== undefined;
}

/** Finds the first unknown `type`, which no answer could match. `path` is a JSON pointer. */
function typeProblem(schema: unknown, path: string): string | undefined {
  if (Array.isArray(schema)) {
    return schema.map((item, i) => typeProblem(item, `${path}/${i}`)).find(Boolean);
  }
  if (!isObject(schema)) return undefined;
  // These contain arbitrary values, not schemas.
  const { const: _const, enum: _enum, examples: _examples, default: _default, ...keywords } =
    schema;
  for (const [name, value] of Object.entries(keywords)) {
    const names = Array.isArray(value) ? value : [value];
    const isType = name === "type" && names.every((item) => typeof item === "string");
    const wrong = isType ? names.find((item) => !TYPES.includes(item)) : undefined;
    if (wrong !== undefined) {
      return `${path}/type: unknown type "${wrong}", expected one of ${TYPES.join(", ")}`;
    }
    const problem = typeProblem(value, `${path}/${name}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** A schema name as OpenAI requires it: up to 64 letters, digits, `_` and `-`. */
function nameOf(source: string, schema: Fields): string {
  const ofSource = source === INLINE ? "" : basename(source).split(".")[0];
  const name = typeof schema.title === "string" ? schema.title : ofSource;
  return name.replace(/[^A-Za-z0-9_-]+/g, "_").slice(0, 64) || "answer";
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    // A schema in short form may even be too long for a path.
    return false;
  }
}

/** Whether a schema is JSON rather than in short form, whose objects may have braces as well. */
export function looksLikeJson(text: string): boolean {
  return /^\s*\{\s*["}]/.test(text);
}

/** What messages call a schema that is not in a file. */
const INLINE = "the schema";

const SCHEMA_HINT =
  'Nothing was sent. Example schema: {"type": "object", "properties": {"mood": {"type": "string"}}}';

/**
 * Converts JSON to a response format: a JSON Schema, or OpenAI's envelope around one (`name`, `schema` and
 * `strict`).
 *
 * @param source what messages call the text, by default "the schema"
 * @throws {InvalidInputError} if the text is not JSON, or not a schema
 */
export function schemaFromJson(text: string, source: string = INLINE): JsonSchemaFormat {
  let value: unknown;
  try {
    value = parseExact(text);
  } catch (cause) {
    const { line, column, reason } = jsonProblem(text);
    throw new InvalidInputError(`${source}:${line}:${column}: not valid JSON (${reason})`, {
      cause,
      hint: SCHEMA_HINT,
    });
  }
  if (isTooDeep(value)) {
    throw new InvalidInputError(`${source}: nested more than ${MAX_DEPTH} levels deep`, {
      hint: SCHEMA_HINT,
    });
  }
  if (isObject(value) && isObject(value.json_schema)) value = value.json_schema;
  const enveloped = isObject(value) && isObject(value.schema) && typeof value.name === "string";
  const schema = enveloped ? (value as { schema: Fields }).schema : value;
  if (!isObject(schema)) {
    throw new InvalidInputError(
      `${source}: expected a JSON Schema, an object such as {"type": …}`,
      { hint: SCHEMA_HINT },
    );
  }
  const problem = typeProblem(schema, "#");
  if (problem !== undefined) {
    throw new InvalidInputError(`${source}: ${problem}`, { hint: SCHEMA_HINT });
  }
  const { name, strict } = enveloped ? value as { name: string; strict?: boolean } : {
    name: nameOf(source, schema),
    strict: undefined,
  };
  return { type: "json_schema", json_schema: { name, schema, strict } };
}

/** Converts a schema in short form. */
function schemaFromShortForm(text: string, source: string): JsonSchemaFormat {
  const schema = parseShortSchema(text, source);
  return { type: "json_schema", json_schema: { name: nameOf(source, {}), schema, strict: true } };
}

/**
 * Converts text that is JSON or the short form to a response format.
 *
 * @throws {InvalidInputError} if the text is not valid
 */
export function schemaFromText(text: string): JsonSchemaFormat {
  return looksLikeJson(text) ? schemaFromJson(text) : schemaFromShortForm(text, INLINE);
}

/**
 * Reads the response format from the file at `path`: JSON, or the short form if the file is not named
 * `.json` and does not look like JSON.
 *
 * @throws {InvalidInputError} if the file does not exist or is not a schema
 */
export function readSchemaFile(path: string): JsonSchemaFormat {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new InvalidInputError(`cannot read the schema ${path}: ${fileReason(cause)}`, {
      cause,
      hint: "Use a file with a JSON Schema (--schema mood.json), " +
        'or the short form (--schema "mood, score int").',
    });
  }
  if (!isUtf8(bytes)) {
    throw new InvalidInputError(`${path}: ${NOT_UTF8}`, { hint: SCHEMA_HINT });
  }
  const text = bytes.toString("utf8").replace(/^\ufeff/, "");
  if (/\.json$/i.test(path) || looksLikeJson(text)) return schemaFromJson(text, path);
  return schemaFromShortForm(text, path);
}

/** A slash before any character that separates fields, or one word with an extension. */
const PATH = /^[^\s,:?{}[\]()|]*[/\\]|^[A-Za-z]:\\|^[^\s,:?{}[\]()|]+\.\w+$/;

/** The path that a schema names: after `@`, or because it looks like one; `undefined` for any other. */
export function schemaPath(text: string): string | undefined {
  if (text.startsWith("@")) return text.slice(1);
  return PATH.test(text) && !text.includes("\n") && !looksLikeJson(text) ? text : undefined;
}

/** The file that a value of `--schema` names; `undefined` if it is the schema itself. */
export function schemaFileOf(given: string): string | undefined {
  const text = given.trim();
  return isFile(text) ? text : schemaPath(text);
}

/**
 * Reads the value of `--schema`, by these rules, in this order:
 *
 * 1. JSON if it starts with `{"` or is `{}`;
 * 2. a file, if it starts with `@` or a file of that name exists;
 * 3. a missing file, if it looks like a path: it has a slash, or is one word with an extension;
 * 4. otherwise a schema in short form.
 *
 * @throws {InvalidInputError} if the file does not exist or the schema is not valid
 */
export function readSchema(given: string): JsonSchemaFormat {
  const path = schemaFileOf(given);
  return path === undefined ? schemaFromText(given) : readSchemaFile(path);
}
