/**
 * Finds the mistakes in a configuration file, all of them.
 *
 * @module
 */
import { closest, distance } from "fastest-levenshtein";
import * as v from "valibot";
import { normalizeBaseUrl } from "../services/base_url.ts";
import { ConfigurationError } from "../errors.ts";
import { priceEntries } from "../pricing/price_file.ts";
import { type ConfigDocument, parseConfig, type Path } from "../files/document.ts";
import { asObject, asText, type Json } from "../json/json.ts";
import {
  configSchema,
  type ConfigValue,
  endpointEntries,
  IGNORED_BATCH_FIELDS,
  type ModelEntry,
} from "./schema.ts";

/** A mistake in a configuration file. */
export interface Problem {
  /** What is wrong, after its place as `file:line:column`. */
  message: string;
  /** What to do. */
  hint?: string;
}

/** What a configuration file says. */
export interface Inspection {
  /** Empty when the mistakes leave nothing to use. */
  value: ConfigValue;
  /** What can be read of it in spite of mistakes, for finding more of them. */
  readable: ConfigValue;
  problems: Problem[];
  /** Things the user should know, each a sentence. */
  warnings: string[];
  /** The place of a value, as `file:line:column`. */
  locate(path: Path): string;
}

type Issue = v.BaseIssue<unknown>;

function pathOf(issue: Issue): (string | number)[] {
  return (issue.path ?? []).map(({ key }) => key as string | number);
}

/** The field names that would be right where `issue` is. */
function knownFields(path: Path): string[] {
  const [section, ...rest] = path;
  const entries = configSchema.entries;
  if (rest.length === 0) return Object.keys(entries);
  if (path.at(-2) === "price") return Object.keys(priceEntries);
  if (section === "models") return Object.keys(entries.models.wrapped.item.entries);
  if (rest[0] === "endpoints" && rest.length > 1) return Object.keys(endpointEntries);
  return [...Object.keys(entries.batch.wrapped.entries), ...IGNORED_BATCH_FIELDS];
}

/** What was there instead; a text where a key may stand is not shown. */
function received(issue: Issue, path: Path): string {
  const mayBeKey = path.some((name) => name === "api_key" || name === "headers") ||
    typeof path.at(-1) === "number";
  return mayBeKey && issue.received.startsWith('"') ? "a text" : issue.received.slice(0, 80);
}

function describe(issue: Issue, document: ConfigDocument): string {
  const path = pathOf(issue);
  const shown = path.reduce<string>(
    (text, key) => typeof key === "number" ? `${text}[${key}]` : text ? `${text}.${key}` : key,
    "",
  );
  if (issue.type === "strict_object" && issue.expected === "never") {
    const name = String(path.at(-1));
    const known = knownFields(path);
    const guess = closest(name, known);
    const hint = distance(name, guess) <= 3
      ? `did you mean "${guess}"?`
      : `known are ${known.join(", ")}`;
    return `${document.locate(path, "name")}: unknown field "${name}": ${hint}`;
  }
  if (issue.received === "undefined") {
    return `${document.locate(path.slice(0, -1), "value")}: the field "${
      path.at(-1)
    }" is missing in ${shown.replace(/\.[^.]*$/, "")}`;
  }
  return `${document.locate(path, "value")}: ${shown || "the file"}: ${issue.message}, got ${
    received(issue, path)
  }`;
}

/** Takes out what this version does not know to do, and says so. */
function withoutIgnored(
  value: { batch?: unknown },
  warnings: string[],
  locate: Inspection["locate"],
): unknown {
  const { batch } = value;
  if (typeof batch !== "object" || batch === null) return value;
  const kept = { ...batch } as Record<string, unknown>;
  for (const name of IGNORED_BATCH_FIELDS) {
    if (kept[name] !== undefined && kept[name] !== null && kept[name] !== false) {
      warnings.push(`${locate(["batch", name])}: batch.${name} is not supported yet and ignored`);
    }
    delete kept[name];
  }
  return { ...value, batch: kept };
}

function referenceProblems(value: ConfigValue, locate: Inspection["locate"]): Problem[] {
  const problems: Problem[] = [];
  const models = value.models ?? [];
  for (const [i, { id, name = id }] of models.entries()) {
    if (name !== "" && models.findIndex((other) => (other.name ?? other.id) === name) < i) {
      problems.push({
        message: `${locate(["models", i])}: there are two models called "${name}"`,
        hint: "Give one of them another name.",
      });
    }
  }
  const names = models.flatMap(({ id, name }) => [id, name]).filter((name) => !!name);
  if (value.default && value.default !== "mock" && !names.includes(value.default)) {
    problems.push({
      message: `${locate(["default"])}: default: no model "${value.default}" in models`,
      hint: names.length > 0
        ? `Known are ${[...new Set(names), "mock"].join(", ")}.`
        : "List it under models, with id, base_url and api_key.",
    });
  }
  return problems;
}

/** The fields of an entry that are texts, and headers that are. */
function readableEntry(entry: unknown): ModelEntry {
  const fields = Object.entries(asObject(entry) ?? {});
  const texts = fields.filter(([, value]) => typeof value === "string" && value !== "");
  const headers = asObject(asObject(entry)?.headers) ?? {};
  return { id: "", ...Object.fromEntries(texts), headers: textsOf(headers) };
}

function textsOf(fields: Json): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, string] =>
      typeof field[1] === "string"
    ),
  );
}

/** Of a file that is wrong in parts, the parts that name models and servers. */
function readableOf(value: Json): ConfigValue {
  const { default: named, models, batch } = value;
  const endpoints = asObject(batch)?.endpoints;
  const entries = Array.isArray(models) ? models.map(readableEntry) : [];
  // It may be meant to be one of those whose id is the mistake.
  const isCertain = entries.every(({ id }) => id !== "");
  return {
    default: isCertain ? asText(named) : undefined,
    models: entries,
    batch: { endpoints: Array.isArray(endpoints) ? endpoints.map(readableEntry) : undefined },
  };
}

/**
 * Inspects `text`, the content of the configuration file `file`.
 *
 * @throws {ConfigurationError} when it is not well-formed
 */
export function inspectConfig(file: string, text: string): Inspection {
  const document = parseConfig(file, text);
  const locate = (path: Path) => document.locate(path, "value");
  const warnings: string[] = [];
  const value = document.value ?? {};
  // Valibot takes an array for an object with numbered fields.
  if (typeof value !== "object" || Array.isArray(value)) {
    const message = `${locate([])}: expected default, models and batch`;
    return { value: {}, readable: {}, problems: [{ message }], warnings, locate };
  }
  const result = v.safeParse(configSchema, withoutIgnored(value, warnings, locate));
  if (!result.success) {
    const readable = readableOf(value as Json);
    const problems = [
      ...result.issues.map((issue) => ({ message: describe(issue, document) })),
      ...referenceProblems(readable, locate),
    ];
    return { value: {}, readable, problems, warnings, locate };
  }
  const problems = referenceProblems(result.output, locate);
  const { cache } = result.output;
  if (typeof cache === "object" && cache?.store === "memory" && cache.path !== undefined) {
    warnings.push(`${locate(["cache", "path"])}: a cache in memory has no path; it is ignored`);
  }
  return { value: result.output, readable: result.output, problems, warnings, locate };
}

/** The models and the endpoints of a configuration, with their places. */
function servers(value: ConfigValue) {
  return [
    ...(value.models ?? []).map((entry, i) => ({ entry, path: ["models", i] as Path })),
    ...(value.batch?.endpoints ?? []).map((entry, i) => ({
      entry,
      path: ["batch", "endpoints", i] as Path,
    })),
  ];
}

/**
 * The mistakes that matter only once a model is asked: base URLs that are none, which are problems,
 * and references to variables that are not set, which are warnings.
 */
export function inspectServers(
  { readable: value, locate }: Pick<Inspection, "readable" | "locate">,
  env: Record<string, string | undefined>,
): Pick<Inspection, "problems" | "warnings"> {
  const problems: Problem[] = [];
  const warnings: string[] = [];
  for (const { entry, path } of servers(value)) {
    const fields: [string[], string | undefined][] = [
      [["base_url"], entry.base_url],
      [["api_key"], entry.api_key],
      ...Object.entries(entry.headers ?? {}).map(([name, text]) =>
        [["headers", name], text] as [string[], string]
      ),
    ];
    for (const [names, text] of fields) {
      for (const [, name] of text?.matchAll(/\$\{(\w+)\}/g) ?? []) {
        if (env[name] !== undefined) continue;
        const place = locate([...path, ...names]);
        warnings.push(`${place}: the environment variable ${name} is not set`);
      }
    }
    try {
      if (entry.base_url !== undefined && !entry.base_url.includes("${")) {
        normalizeBaseUrl(entry.base_url);
      }
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      const message = `${locate([...path, "base_url"])}: ${error.message}`;
      problems.push({ message, hint: error.hint });
    }
  }
  return { problems, warnings };
}
