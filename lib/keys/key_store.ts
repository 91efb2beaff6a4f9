/**
 * Stores, reads and removes API keys: in the system's keychain if there is one, otherwise in a private file.
 *
 * @module
 */
import { resolve } from "node:path";
import { ConfigurationError, type FlexLLMError } from "../errors.ts";
import { type Environment, homeFolder } from "../files/paths.ts";
import { maskKey } from "../redact.ts";
import type { Keychain } from "./keychain.ts";
import { changeKeyFile, type KeyEntry, readKeyFile, shownKey, type StoreName } from "./key_file.ts";
import { systemKeychain } from "./system_keychain.ts";

/** A stored key, without the key itself. */
export interface StoredKey {
  name: string;
  store: StoreName;
  /** The masked key: its last characters, to tell keys apart. */
  shown: string;
}

/** The keys that were read from a keychain, which starts a process each time. */
const readKeys = new Map<string, string>();

/** The name under which the keychain lists our keys; every home folder has its own. */
function serviceName(env: Environment): string {
  const home = resolve(homeFolder(env));
  const standard = resolve(homeFolder({ ...env, FLEXLLM_HOME: undefined }));
  return home === standard ? "flexllm" : `flexllm ${home}`;
}

function memoKey(env: Environment, name: string): string {
  return `${serviceName(env)}\0${name}`;
}

/** The system's keychain; `undefined` if there is none. */
export function keychainOf(env: Environment): Keychain | undefined {
  return systemKeychain(env, serviceName(env));
}

function expectKeychain(env: Environment): Keychain {
  const keychain = keychainOf(env);
  if (keychain !== undefined) return keychain;
  throw new ConfigurationError("there is no keychain on this system", {
    hint:
      "On Linux it takes secret-tool (package libsecret-tools) and a D-Bus session with GNOME " +
      "Keyring or KWallet.\nOr store the key in a file: flexllm keys set NAME --store file",
  });
}

function described(name: string, entry: KeyEntry): StoredKey {
  return { name, store: entry.store, shown: shownKey(entry) };
}

/** Adds the name of a key to the error of a keychain. */
function about(name: string, error: unknown, what: string): unknown {
  if (!(error instanceof ConfigurationError)) return error;
  return new ConfigurationError(`${what}: ${error.message}`, {
    cause: error,
    hint: error.hint?.replaceAll("NAME", name),
  });
}

/**
 * Lists the stored keys by name. Does not open the keychain.
 *
 * @throws {ConfigurationError} if the list cannot be read
 */
export function listKeys(env: Environment): StoredKey[] {
  return [...readKeyFile(env)].map(([name, entry]) => described(name, entry));
}

/**
 * The stored key called `name`; `undefined` if there is none. Does not open the keychain.
 *
 * @throws {ConfigurationError} if the list of keys cannot be read
 */
export function findKey(env: Environment, name: string): StoredKey | undefined {
  const entry = readKeyFile(env).get(name);
  return entry && described(name, entry);
}

/**
 * Reads the key called `name`; `undefined` if none is stored. Opens the keychain at most once for each key.
 *
 * @throws {ConfigurationError} if the key is stored but cannot be read, e.g. because the keychain is locked
 */
export function readKey(env: Environment, name: string): string | undefined {
  const entry = readKeyFile(env).get(name);
  if (entry === undefined) return undefined;
  if (entry.store === "file") return entry.key;
  const memo = memoKey(env, name);
  const known = readKeys.get(memo);
  if (known !== undefined) return known;
  const keychain = expectKeychainOf(env, name);
  let key;
  try {
    key = keychain.read(name);
  } catch (error) {
    throw about(name, error, `cannot read the key "${name}"`);
  }
  if (key === undefined || key === "") {
    throw new ConfigurationError(`the key "${name}" is no longer in ${keychain.title}`, {
      hint: `Store it again: flexllm keys set ${name}`,
    });
  }
  readKeys.set(memo, key);
  return key;
}

/** The keychain that holds the key called `name`. */
function expectKeychainOf(env: Environment, name: string): Keychain {
  const keychain = keychainOf(env);
  if (keychain !== undefined) return keychain;
  throw new ConfigurationError(
    `the key "${name}" is in a keychain, which cannot be reached from here`,
    {
      hint:
        "A keychain on Linux needs secret-tool and a D-Bus session, which SSH and cron jobs lack.\n" +
        `Store the key in a file instead: flexllm keys set ${name} --store file`,
    },
  );
}

/** Writes to the keychain and reads back, so that a key is never reported as stored if it is not. */
function writeToKeychain(keychain: Keychain, name: string, key: string): void {
  keychain.write(name, key);
  if (keychain.read(name) === key) return;
  throw new ConfigurationError(`${keychain.title} did not store the key unchanged`, {
    hint: `Store it in a file: flexllm keys set ${name} --store file`,
  });
}

/** Where a key was stored. */
export interface StoreResult {
  store: StoreName;
  /** Whether a key of that name was replaced. */
  replaced: boolean;
  /** Why the keychain was not used, although there is one. */
  keychainError?: FlexLLMError;
}

function tryKeychain(keychain: Keychain, name: string, key: string): FlexLLMError | undefined {
  try {
    writeToKeychain(keychain, name, key);
    return undefined;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error;
  }
}

/** Removes the key from the keychain, which may be gone by now. */
function forget(env: Environment, name: string): void {
  readKeys.delete(memoKey(env, name));
  keychainOf(env)?.remove(name);
}

/**
 * Stores a key, replacing an older one of that name.
 *
 * @param store where; by default in the keychain if there is one that works, otherwise in the file
 * @throws {ConfigurationError} if it cannot be stored there
 */
export async function storeKey(
  env: Environment,
  name: string,
  key: string,
  store?: StoreName,
): Promise<StoreResult> {
  // A malformed file is reported before the keychain asks for a password.
  readKeyFile(env);
  const keychain = store === "file"
    ? undefined
    : store === "keychain"
    ? expectKeychain(env)
    : keychainOf(env);
  let keychainError: FlexLLMError | undefined;
  if (keychain !== undefined) keychainError = tryKeychain(keychain, name, key);
  if (keychainError !== undefined && store === "keychain") {
    throw about(name, keychainError, `cannot store the key "${name}"`);
  }
  const isInKeychain = keychain !== undefined && keychainError === undefined;
  const entry: KeyEntry = isInKeychain
    ? { store: "keychain", shown: maskKey(key) }
    : { store: "file", key };
  const old = await changeKeyFile(env, (entries) => {
    const old = entries.get(name);
    entries.set(name, entry);
    return old;
  });
  if (isInKeychain) readKeys.set(memoKey(env, name), key);
  else if (old?.store === "keychain") forgetIfPossible(env, name);
  return { store: isInKeychain ? "keychain" : "file", replaced: old !== undefined, keychainError };
}

function forgetIfPossible(env: Environment, name: string): void {
  try {
    forget(env, name);
  } catch (error) {
    // The new key is stored. A locked keychain keeps the old one, which nothing refers to any more.
    if (!(error instanceof ConfigurationError)) throw error;
  }
}

/**
 * Removes a key.
 *
 * @returns whether there was one
 * @throws {ConfigurationError} if it cannot be removed; then it stays listed
 */
export async function removeKey(env: Environment, name: string): Promise<boolean> {
  const entry = readKeyFile(env).get(name);
  if (entry === undefined) return false;
  if (entry.store === "keychain") {
    expectKeychainOf(env, name);
    try {
      forget(env, name);
    } catch (error) {
      throw about(name, error, `cannot remove the key "${name}"`);
    }
  }
  await changeKeyFile(env, (entries) => entries.delete(name));
  return true;
}
