/**
 * Checks the text of a configuration file and reports every problem at once.
 *
 * @module
 */
import * as v from "valibot";
import { type ConfigDocument, parseConfig, type Path } from "../files/document.ts";
import { asObject, asText, type Json } from "../json/json.ts";
import { InvalidInputError } from "../errors.ts";
import { schemaFromJson, schemaFromText, schemaPath } from "../input/schema_file.ts";
import { describeIssues } from "./describe_issue.ts";
import { nameOf } from "./models.ts";
import { configSchema, type ConfigValue, IGNORED_BATCH_FIELDS, type ModelEntry } from "./schema.ts";

/** A problem in a configuration file. */
export interface ConfigProblem {
  /** What is wrong, prefixed with `file:line:column`. */
  message: string;
  /** What to do. */
  hint?: string;
}

/** The result of checking a configuration file. */
export interface Inspection {
  /** The checked configuration; empty if the file violates the schema. */
  value: ConfigValue;
  /** The usable parts of a file that violates the schema, so that further checks can run on them. */
  readable: ConfigValue;
  problems: ConfigProblem[];
  /** Warnings for the user, one sentence each. */
  warnings: string[];
  /** The position of a value, as `file:line:column`. */
  locate(path: Path): string;
}

/** Removes the fields that this version ignores, with a warning for each. */
function withoutIgnored(
  value: { batch?: unknown },
  warnings: string[],
  locate: Inspection["locate"],
): unknown {
  const { batch } = value;
  if (typeof batch !== "object" || batch === null) return value;
  const supported = { ...batch } as Record<string, unknown>;
  for (const name of IGNORED_BATCH_FIELDS) {
    const ignored = supported[name];
    if (ignored !== undefined && ignored !== null && ignored !== false) {
      warnings.push(`${locate(["batch", name])}: batch.${name} is not supported yet; ignored`);
    }
    delete supported[name];
  }
  return { ...value, batch: supported };
}

function duplicateNames(models: readonly ModelEntry[], locate: Inspection["locate"]) {
  const problems: ConfigProblem[] = [];
  const seen = new Set<string>();
  for (const [i, entry] of models.entries()) {
    const name = nameOf(entry);
    if (name !== "" && seen.has(name)) {
      problems.push({
        message: `${locate(["models", i])}: two models are named "${name}"`,
        hint: "Rename one of them.",
      });
    }
    seen.add(name);
  }
  return problems;
}

function unknownDefault(value: ConfigValue, locate: Inspection["locate"]): ConfigProblem[] {
  const { default: named, models } = value;
  const names = (models ?? []).flatMap(({ id, name }) => [id, name]).filter((name) => !!name);
  if (!named || named === "mock" || names.includes(named)) return [];
  return [{
    message: `${locate(["default"])}: default: no model "${named}" in models`,
    hint: names.length > 0
      ? `Configured models: ${[...new Set(names), "mock"].join(", ")}.`
      : "List it under models, with id, base_url and api_key.",
  }];
}

/** The mistakes in the answer schemas of templates. Whether a file exists is checked when it is used. */
function templateSchemaProblems({ templates }: ConfigValue, locate: Inspection["locate"]) {
  const problems: ConfigProblem[] = [];
  for (const [name, entry] of Object.entries(templates ?? {})) {
    const { schema } = typeof entry === "string" ? {} : entry;
    if (schema === undefined || typeof schema === "string" && schemaPath(schema) !== undefined) {
      continue;
    }
    try {
      if (typeof schema === "string") schemaFromText(schema);
      else schemaFromJson(JSON.stringify(schema));
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      const place = locate(["templates", name, "schema"]);
      problems.push({ message: `${place}: ${error.message}`, hint: error.hint });
    }
  }
  return problems;
}

/** Checks that the schema cannot express. */
function consistencyProblems(value: ConfigValue, locate: Inspection["locate"]): ConfigProblem[] {
  return [
    ...duplicateNames(value.models ?? [], locate),
    ...unknownDefault(value, locate),
    ...templateSchemaProblems(value, locate),
  ];
}

function textsOf(fields: Json): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, string] =>
      typeof field[1] === "string"
    ),
  );
}

/** The text fields and text headers of an entry. */
function readableEntry(entry: unknown): ModelEntry {
  const fields = Object.entries(asObject(entry) ?? {});
  const texts = fields.filter(([, value]) => typeof value === "string" && value !== "");
  const headers = asObject(asObject(entry)?.headers) ?? {};
  return { id: "", ...Object.fromEntries(texts), headers: textsOf(headers) };
}

/** The parts of an invalid file that name models and servers. */
function readableOf(value: Json): ConfigValue {
  const { default: named, models, batch } = value;
  const endpoints = asObject(batch)?.endpoints;
  const entries = Array.isArray(models) ? models.map(readableEntry) : [];
  // The default may name a model whose id is the problem.
  const hasAllIds = entries.every(({ id }) => id !== "");
  return {
    default: hasAllIds ? asText(named) : undefined,
    models: entries,
    batch: { endpoints: Array.isArray(endpoints) ? endpoints.map(readableEntry) : undefined },
  };
}

function cacheWarnings({ cache }: ConfigValue, locate: Inspection["locate"]): string[] {
  if (typeof cache !== "object" || cache?.store !== "memory" || cache.path === undefined) return [];
  return [`${locate(["cache", "path"])}: an in-memory cache has no path; ignored`];
}

function inspectDocument(document: ConfigDocument): Inspection {
  const locate = (path: Path) => document.locate(path, "value");
  const warnings = document.duplicates.map(({ name, place }) =>
    `${place}: "${name}" appears twice; the last one is used`
  );
  const value = document.value ?? {};
  // Valibot accepts an array as an object with numeric fields.
  if (typeof value !== "object" || Array.isArray(value)) {
    const message = `${locate([])}: expected fields such as models and batch`;
    return { value: {}, readable: {}, problems: [{ message }], warnings, locate };
  }
  const supported = withoutIgnored(value, warnings, locate);
  const result = v.safeParse(configSchema, supported, { abortPipeEarly: true });
  const violations = describeIssues(supported, result.issues ?? [], document);
  if (!result.success || violations.length > 0) {
    const readable = readableOf(value as Json);
    const problems = [
      ...violations.map((message) => ({ message })),
      ...consistencyProblems(readable, locate),
    ];
    return { value: {}, readable, problems, warnings, locate };
  }
  const { output } = result;
  const problems = consistencyProblems(output, locate);
  warnings.push(...cacheWarnings(output, locate));
  return { value: output, readable: output, problems, warnings, locate };
}

/** The line and column at the start of a message of the file. */
function positionOf(file: string, message: string): [line: number, column: number] {
  const rest = message.startsWith(`${file}:`) ? message.slice(file.length) : "";
  const [, line, column] = /^:(\d+):(\d+)/.exec(rest) ?? [];
  return line === undefined ? [Infinity, 0] : [Number(line), Number(column)];
}

/** Compares messages of the file by their position; those without one come last. */
export function byPosition(file: string): (a: string, b: string) => number {
  return (a, b) => {
    const [lineA, columnA] = positionOf(file, a);
    const [lineB, columnB] = positionOf(file, b);
    return lineA === lineB ? columnA - columnB : lineA - lineB;
  };
}

/**
 * Checks `text`, the content of the configuration file `file`.
 *
 * @throws {ConfigurationError} if it is not well-formed YAML or JSON
 */
export function inspectConfig(file: string, text: string): Inspection {
  const { problems, ...inspection } = inspectDocument(parseConfig(file, text));
  const compare = byPosition(file);
  return { ...inspection, problems: problems.toSorted((a, b) => compare(a.message, b.message)) };
}
