/**
 * Loads and checks the effective configuration file.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { readFileSync, statSync } from "node:fs";
import process from "node:process";
import { ConfigurationError } from "../errors.ts";
import { secretsOf } from "../redact.ts";
import type { Path } from "../files/document.ts";
import { inspectConfig } from "./inspect.ts";
import { type Environment, findConfigFile } from "../files/paths.ts";
import { isReference } from "./references.ts";
import { configuredRedis } from "./redis_urls.ts";
import type { ConfigValue } from "./schema.ts";
import { configuredServers } from "./servers.ts";
import { type ForeignVariable, foreignVariables, isApproved, isFoundIn } from "./trust.ts";
import { foreignKind, inCommand } from "../files/foreign_kind.ts";
import { fileReason } from "../files/reasons.ts";

/** A checked configuration. */
export interface Config {
  /** The file it was read from; `undefined` if there is none. */
  file: string | undefined;
  value: ConfigValue;
  /** Warnings for the user, one sentence each. */
  warnings: string[];
  /**
   * Variables that a file found in the current directory would send to servers of other services, and
   * that the user has not approved.
   */
  unapproved: readonly ForeignVariable[];
  /** The position of a value, as `file:line:column`. */
  locate(path: Path): string;
}

/** The variables that `file`, if it was found in `folder`, may not send before the user approves it. */
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

/** Whether `text` looks like a key and not like a reference such as `Bearer ${NAME}`. */
function isLiteralKey(text: string): boolean {
  return text.length >= 16 && !isReference(text.replace(/^\S+ +/, ""));
}

/** Whether a URL has a password, and not only a reference to one. */
function hasPassword(url: string): boolean {
  const [, login] = /^\w+:\/\/(.*)@/s.exec(url) ?? [];
  const password = login?.replace(/^[^:]*:/, "") ?? "";
  return password !== "" && !isReference(password);
}

/** Returns a warning if `file` contains API keys or passwords and other users can read it. */
export function permissionWarning(file: string, value: ConfigValue): string | undefined {
  const hasKey =
    configuredServers(value).some(({ entry: { api_key, headers = {} } }) =>
      secretsOf({ apiKey: api_key, headers }).some(isLiteralKey)
    ) || isLiteralKey(value.serve?.admin_key ?? "");
  const hasSecret = hasKey || configuredRedis(value).some(({ url }) => hasPassword(url));
  if (!hasSecret || process.platform === "win32") return undefined;
  if ((statSync(file).mode & 0o077) === 0) return undefined;
  const what = hasKey ? "API keys" : "a password";
  return `${file} contains ${what} and is readable by other users: chmod 600 ${file}`;
}

/** The position of the first byte that is not UTF-8, as `line:column`. */
function invalidPosition(bytes: Uint8Array): string {
  const lines = new TextDecoder().decode(bytes).split("\n");
  const line = lines.findIndex((text) => text.includes("\uFFFD"));
  return `${line + 1}:${lines[line].indexOf("\uFFFD") + 1}`;
}

/** Decodes a configuration file. */
function decodeConfig(file: string, bytes: Buffer): string {
  const kind = foreignKind(bytes, file);
  if (kind !== undefined) {
    throw new ConfigurationError(`${file} is ${kind.what}`, { hint: kind.hint });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ConfigurationError(`${file}:${invalidPosition(bytes)}: not UTF-8`, {
      cause,
      hint: `Convert the file: iconv -f latin1 -t utf-8 ${inCommand(file)} > FILE`,
    });
  }
}

/**
 * Reads the text of a configuration file.
 *
 * @throws {ConfigurationError} if it cannot be read or is not UTF-8
 */
export function readConfigText(file: string): string {
  let bytes;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new ConfigurationError(`cannot read ${file}: ${fileReason(cause)}`, {
      cause,
      hint: "Choose another file with --config, or create one with `flexllm init`.",
    });
  }
  return decodeConfig(file, bytes);
}

/** What to do about problems in a file; it is named unless it is the one that is found anyway. */
function fixHint(file: string, isNamed: boolean): string {
  const argument = isNamed ? ` ${inCommand(file)}` : "";
  return `Fix it with \`flexllm config edit${argument}\`, then run \`flexllm config check${argument}\`.`;
}

/**
 * Loads the effective configuration file, or an empty configuration if there is none.
 *
 * @param named the value of `--config`
 * @throws {ConfigurationError} listing each problem with file, line and column
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
        fixHint(file, named !== undefined),
    });
  }
  const warning = permissionWarning(file, value);
  if (warning !== undefined) warnings.push(warning);
  const isNamed = named !== undefined || Boolean(env.FLEXLLM_CONFIG);
  const unapproved = isNamed ? [] : unapprovedIn(file, text, value, env, folder);
  return { file, value, warnings, unapproved, locate };
}
