/**
 * Reads and writes `keys.json`, which lists the stored keys and holds those that are in no keychain.
 *
 * @module
 */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { ConfigurationError } from "../errors.ts";
import { parseConfig } from "../files/document.ts";
import { type Environment, homeFolder } from "../files/paths.ts";
import { fileReason } from "../files/reasons.ts";
import { writeUserFile } from "../files/replace_file.ts";
import { asObject, asText } from "../json/json.ts";
import { maskKey } from "../redact.ts";
import { isKeyName } from "./check_key.ts";

/** Where a key is stored. */
export type StoreName = "keychain" | "file";

/** A stored key, as the file lists it. */
export type KeyEntry =
  | { store: "file"; key: string }
  /** `shown` is the masked key, so that keys can be listed without unlocking the keychain. */
  | { store: "keychain"; shown: string };

/** The path of the file. */
export function keyFilePath(env: Environment): string {
  return join(homeFolder(env), "keys.json");
}

/** Refuses a file that other users can read. */
function requirePrivate(path: string): void {
  const { mode } = statSync(path);
  if (process.platform === "win32" || (mode & 0o077) === 0) return;
  const octal = (mode & 0o777).toString(8);
  throw new ConfigurationError(
    `${path} holds API keys, but is open to other users (mode ${octal})`,
    {
      hint: `Make it private: chmod 600 ${path}\n` +
        "If others may have read it, replace the keys at their services.",
    },
  );
}

function textOf(path: string): string | undefined {
  try {
    const text = readFileSync(path, "utf8");
    requirePrivate(path);
    return text;
  } catch (cause) {
    if (cause instanceof ConfigurationError) throw cause;
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new ConfigurationError(`cannot read ${path}: ${fileReason(cause)}`, {
      cause,
      hint: "Check the permissions of the file and its folder.",
    });
  }
}

function parseEntry(value: unknown): KeyEntry | undefined {
  const { store, key, shown } = asObject(value) ?? {};
  if (store === "file") return typeof key === "string" && key !== "" ? { store, key } : undefined;
  return store === "keychain" ? { store, shown: asText(shown) ?? "…" } : undefined;
}

function parse(path: string, text: string): Map<string, KeyEntry> {
  const hint = "Fix the file, or delete it and store the keys again: flexllm keys set NAME";
  let document;
  try {
    document = parseConfig(path, text);
  } catch (cause) {
    if (!(cause instanceof ConfigurationError)) throw cause;
    throw new ConfigurationError(cause.message, { cause, hint });
  }
  const fields = asObject(document.value ?? {});
  if (fields === undefined) {
    throw new ConfigurationError(`${document.locate([], "value")}: expected an object`, { hint });
  }
  return new Map(
    Object.entries(fields).map(([name, value]) => {
      const entry = parseEntry(value);
      if (entry !== undefined && isKeyName(name)) return [name, entry];
      const place = document.locate([name], entry === undefined ? "value" : "name");
      const expected = entry === undefined
        ? '{"store": "file", "key": "…"} or {"store": "keychain"}'
        : "a name of lowercase letters, digits, dots, dashes and underscores";
      throw new ConfigurationError(`${place}: expected ${expected}`, { hint });
    }),
  );
}

/**
 * Reads the file; empty if there is none.
 *
 * @throws {ConfigurationError} if it cannot be read, is malformed, or other users can read it
 */
export function readKeyFile(env: Environment): Map<string, KeyEntry> {
  const path = keyFilePath(env);
  const text = textOf(path);
  return text === undefined ? new Map() : parse(path, text);
}

/**
 * Replaces the file atomically. Only its owner can read it.
 *
 * @throws {ConfigurationError} if it cannot be written
 */
export function writeKeyFile(env: Environment, entries: ReadonlyMap<string, KeyEntry>): void {
  const sorted = [...entries].toSorted(([a], [b]) => a < b ? -1 : 1);
  const text = JSON.stringify(Object.fromEntries(sorted), null, 2);
  writeUserFile(keyFilePath(env), `${text}\n`, true);
}

/** The masked key of an entry. */
export function shownKey(entry: KeyEntry): string {
  return entry.store === "file" ? maskKey(entry.key) : entry.shown;
}
