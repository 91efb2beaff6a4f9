/**
 * Reads and checks the configuration file.
 *
 * @module
 */
import { readFileSync, statSync } from "node:fs";
import process from "node:process";
import { ConfigurationError } from "../errors.ts";
import { secretsOf } from "../redact.ts";
import type { Path } from "../files/document.ts";
import { inspectConfig } from "./inspect.ts";
import { type Environment, findConfigFile } from "../files/paths.ts";
import type { ConfigValue } from "./schema.ts";
import { type ForeignVariable, foreignVariables, isApproved, isFoundIn } from "./trust.ts";
import { fileReason } from "../files/reasons.ts";

/** A checked configuration. */
export interface Config {
  /** The file it came from; `undefined` when there is none. */
  file: string | undefined;
  value: ConfigValue;
  /** Things the user should know, each a sentence. */
  warnings: string[];
  /**
   * What a file that was only found in the current folder would send to servers that it does not belong
   * to, unless the user has approved of it.
   */
  unapproved: readonly ForeignVariable[];
  /** The place of a value, as `file:line:column`. */
  locate(path: Path): string;
}

/** What the user has not approved yet in the file found in `folder`. */
export function unapprovedIn(
  file: string,
  text: string,
  value: ConfigValue,
  env: Environment,
  folder: string,
): readonly ForeignVariable[] {
  if (!isFoundIn(folder, file, env)) return [];
  const foreign = foreignVariables(value, env);
  return foreign.length === 0 || isApproved(env, file, text) ? [] : foreign;
}

/** A warning when `file` holds keys that others can read: they are the owner's business alone. */
export function permissionWarning(file: string, value: ConfigValue): string | undefined {
  const entries = [...value.models ?? [], ...value.batch?.endpoints ?? []];
  const hasKey = entries.some(({ api_key, headers = {} }) =>
    secretsOf({ apiKey: api_key, headers }).some((text) =>
      text.length >= 16 && !/^(\S+ +)?\$\{\w+\}$/.test(text)
    )
  );
  if (!hasKey || process.platform === "win32") return undefined;
  if ((statSync(file).mode & 0o077) === 0) return undefined;
  return `${file} holds API keys and can be read by others: chmod 600 ${file}`;
}

/**
 * The text of a configuration file.
 *
 * @throws {ConfigurationError} when it cannot be read
 */
export function readConfigText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new ConfigurationError(`cannot read ${file}: ${fileReason(cause)}`, {
      cause,
      hint: "Name another file with --config, or write one with `flexllm init`.",
    });
  }
}

/**
 * Reads the configuration file in force, or an empty configuration when there is none.
 *
 * @param named the file of `--config`
 * @throws {ConfigurationError} with file, line and column of the mistakes
 */
export function loadConfig(
  env: Environment,
  folder: string,
  named: string | undefined,
): Config {
  const file = findConfigFile(env, folder, named);
  if (file === undefined) {
    return { file, value: {}, warnings: [], unapproved: [], locate: () => "the configuration" };
  }
  const text = readConfigText(file);
  const { value, problems, warnings, locate } = inspectConfig(file, text);
  if (problems.length > 0) {
    throw new ConfigurationError(problems.map(({ message }) => message).join("\n"), {
      hint: problems.find(({ hint }) => hint !== undefined)?.hint ??
        "Correct it with `flexllm config edit`; `flexllm config check` looks again.",
    });
  }
  const warning = permissionWarning(file, value);
  if (warning !== undefined) warnings.push(warning);
  const isNamed = named !== undefined || Boolean(env.FLEXLLM_CONFIG);
  const unapproved = isNamed ? [] : unapprovedIn(file, text, value, env, folder);
  return { file, value, warnings, unapproved, locate };
}
