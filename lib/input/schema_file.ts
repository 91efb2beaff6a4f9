/**
 * Reads the JSON schema for structured answers.
 *
 * @module
 */
import { type Buffer, isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { ResponseFormat } from "../chat/options.ts";
import { InvalidInputError } from "../errors.ts";
import { asObject, isTooDeep, MAX_DEPTH, parseExact } from "../json/json.ts";
import { jsonProblem } from "../json/problem.ts";
import { fileReason } from "../files/reasons.ts";
import { NOT_UTF8 } from "./foreign_format.ts";

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
function nameOf(path: string, schema: Fields): string {
  const name = typeof schema.title === "string" ? schema.title : basename(path).split(".")[0];
  return name.replace(/[^A-Za-z0-9_-]+/g, "_").slice(0, 64) || "answer";
}

const SCHEMA_HINT =
  'Nothing was sent. Example schema: {"type": "object", "properties": {"mood": {"type": "string"}}}';

/**
 * Reads the response format from the file at `path`: a JSON schema, or OpenAI's envelope around one
 * (`name`, `schema` and `strict`).
 *
 * @throws {InvalidInputError} if the file does not exist, is not JSON, or is not a schema
 */
export function readSchemaFile(path: string): ResponseFormat {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new InvalidInputError(`cannot read the schema ${path}: ${fileReason(cause)}`, {
      cause,
      hint: "Use a file with a JSON schema: --schema mood.json",
    });
  }
  if (!isUtf8(bytes)) {
    throw new InvalidInputError(`${path}: ${NOT_UTF8}`, { hint: SCHEMA_HINT });
  }
  const text = bytes.toString("utf8").replace(/^\ufeff/, "");
  let value: unknown;
  try {
    value = parseExact(text);
  } catch (cause) {
    const { line, column, reason } = jsonProblem(text);
    throw new InvalidInputError(`${path}:${line}:${column}: not valid JSON (${reason})`, {
      cause,
      hint: SCHEMA_HINT,
    });
  }
  if (isTooDeep(value)) {
    throw new InvalidInputError(`${path}: nested more than ${MAX_DEPTH} levels deep`, {
      hint: SCHEMA_HINT,
    });
  }
  if (isObject(value) && isObject(value.json_schema)) value = value.json_schema;
  const enveloped = isObject(value) && isObject(value.schema) && typeof value.name === "string";
  const schema = enveloped ? (value as { schema: Fields }).schema : value;
  if (!isObject(schema)) {
    throw new InvalidInputError(`${path}: expected a JSON schema, an object such as {"type": …}`, {
      hint: SCHEMA_HINT,
    });
  }
  const problem = typeProblem(schema, "#");
  if (problem !== undefined) {
    throw new InvalidInputError(`${path}: ${problem}`, { hint: SCHEMA_HINT });
  }
  const { name, strict } = enveloped ? value as { name: string; strict?: boolean } : {
    name: nameOf(path, schema),
    strict: undefined,
  };
  return { type: "json_schema", json_schema: { name, schema, strict } };
}
