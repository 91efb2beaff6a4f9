/**
 * Reads and writes `keys.json`, which lists the stored keys and holds those that are in no keychain.
 *
 * @module
 */
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { ConfigurationError } from "../errors.ts";
import { parseConfig } from "../files/document.ts";
import { type Environment, homeFolder } from "../files/paths.ts";
import { fileReason } from "../files/reasons.ts";
import { writeUserFile } from "../files/replace_file.ts";
import { asObject, asText } from "../json/json.ts";
import { maskKey } from "../redact.ts";
import { systemClock } from "../runtime/clock.ts";
import { type FileLock, tryLock } from "../runtime/file_lock.ts";
import { isKeyName } from "./check_key.ts";

/** Where a key is stored. */
export type StoreName = "keychain" | "file";

/** A stored key, as the file lists it. */
export type KeyEntry =
  | { store: "file"; key: string }
  /** `shown` is the masked key, so that keys can be listed without unlocking the keychain. */
  | { store: "keychain"; shown: string };

/** Longest wait for another process that changes the file, in seconds. It takes milliseconds. */
const LOCK_TIMEOUT = 10;

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

function write(env: Environment, entries: ReadonlyMap<string, KeyEntry>): void {
  const sorted = [...entries].toSorted(([a], [b]) => a < b ? -1 : 1);
  const text = JSON.stringify(Object.fromEntries(sorted), null, 2);
  writeUserFile(keyFilePath(env), `${text}\n`, true);
}

/** Waits until no other process changes the file. `undefined` where files cannot be locked. */
async function lock(path: string): Promise<FileLock | undefined> {
  const deadline = performance.now() + LOCK_TIMEOUT * 1000;
  do {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      const held = await tryLock(`${path}.lock`);
      if (held !== undefined) return held;
    } catch {
      // If the folder cannot be written, writing the file will say so.
      return undefined;
    }
    await systemClock.sleep(20);
  } while (performance.now() < deadline);
  throw new ConfigurationError(`another process has been changing ${path} for ${LOCK_TIMEOUT} s`, {
    hint: "Wait for it, or end it, and run the command again.",
  });
}

/**
 * Changes the file and replaces it atomically. Only its owner can read it. Processes that change it at the same
 * time wait for each other, so that no key is lost.
 *
 * @param change changes the entries, as they are at that time
 * @returns what `change` returns
 * @throws {ConfigurationError} if the file cannot be read or written
 */
export async function changeKeyFile<T>(
  env: Environment,
  change: (entries: Map<string, KeyEntry>) => T,
): Promise<T> {
  const held = await lock(keyFilePath(env));
  try {
    const entries = readKeyFile(env);
    const result = change(entries);
    write(env, entries);
    return result;
  } finally {
    held?.release();
  }
}

/** The masked key of an entry. */
export function shownKey(entry: KeyEntry): string {
  return entry.store === "file" ? maskKey(entry.key) : entry.shown;
}
