/**
 * Reads and checks the configuration file.
 *
 * @module
 */
import { closest, distance } from "fastest-levenshtein";
import { readFileSync, statSync } from "node:fs";
import process from "node:process";
import * as v from "valibot";
import { ConfigurationError } from "../errors.ts";
import { priceEntries } from "../pricing/price_file.ts";
import { type ConfigDocument, parseConfig, type Path } from "./document.ts";
import { type Environment, findConfigFile } from "./paths.ts";
import { configSchema, type ConfigValue, endpointEntries, IGNORED_BATCH_FIELDS } from "./schema.ts";

/** A checked configuration. */
export interface Config {
  /** The file it came from; `undefined` when there is none. */
  file: string | undefined;
  value: ConfigValue;
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
    issue.received.slice(0, 80)
  }`;
}

/** Takes out what this version does not know to do, and says so. */
function withoutIgnored(
  value: { batch?: unknown },
  warnings: string[],
  locate: Config["locate"],
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

function checkReferences(value: ConfigValue, locate: Config["locate"]): void {
  const models = value.models ?? [];
  for (const [i, { id, name = id }] of models.entries()) {
    if (models.findIndex((other) => (other.name ?? other.id) === name) < i) {
      throw new ConfigurationError(
        `${locate(["models", i])}: there are two models called "${name}"`,
        { hint: "Give one of them another name." },
      );
    }
  }
  const names = models.flatMap(({ id, name }) => name === undefined ? [id] : [id, name]);
  if (value.default && value.default !== "mock" && !names.includes(value.default)) {
    throw new ConfigurationError(
      `${locate(["default"])}: default: no model "${value.default}" in models`,
      {
        hint: names.length > 0
          ? `Known are ${[...new Set(names), "mock"].join(", ")}.`
          : "List it under models, with id, base_url and api_key.",
      },
    );
  }
}

/** Keys are the owner's business alone. */
function permissionWarning(file: string, value: ConfigValue): string | undefined {
  const entries = [...value.models ?? [], ...value.batch?.endpoints ?? []];
  const hasKey = entries.some(({ api_key }) =>
    api_key && api_key.length >= 16 && !api_key.startsWith("${")
  );
  if (!hasKey || process.platform === "win32") return undefined;
  if ((statSync(file).mode & 0o077) === 0) return undefined;
  return `${file} holds API keys and can be read by others: chmod 600 ${file}`;
}

/**
 * Reads the configuration file in force, or an empty configuration when there is none.
 *
 * @param named the file of `--config`
 * @throws {ConfigurationError} with file, line and column of the first mistake
 */
export function loadConfig(
  env: Environment,
  folder: string,
  named: string | undefined,
): Config {
  const file = findConfigFile(env, folder, named);
  if (file === undefined) {
    return { file, value: {}, warnings: [], locate: () => "the configuration" };
  }
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause;
    throw new ConfigurationError(`cannot read ${file}: ${reason}`, { cause });
  }
  const document = parseConfig(file, text);
  const locate = (path: Path) => document.locate(path, "value");
  const warnings: string[] = [];
  const value = document.value ?? {};
  // Valibot takes an array for an object with numbered fields.
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new ConfigurationError(`${locate([])}: expected default, models and batch`);
  }
  const result = v.safeParse(configSchema, withoutIgnored(value, warnings, locate));
  if (!result.success) {
    throw new ConfigurationError(
      result.issues.map((issue) => describe(issue, document)).join("\n"),
    );
  }
  checkReferences(result.output, locate);
  const warning = permissionWarning(file, result.output);
  if (warning !== undefined) warnings.push(warning);
  return { file, value: result.output, warnings, locate };
}
