/**
 * Implements `flexllm keys remove`, which removes a stored key.
 *
 * @module
 */
import process from "node:process";
import { ConfigurationError } from "../../lib/errors.ts";
import { canonicalKeyName } from "../../lib/keys/key_names.ts";
import { listKeys, removeKey } from "../../lib/keys/key_store.ts";
import { writeOutput } from "../terminal/output.ts";

/**
 * Removes a key.
 *
 * @throws {ConfigurationError} if no key of that name is stored, or it cannot be removed
 */
export async function removeStoredKey(given: string): Promise<void> {
  const name = canonicalKeyName(given);
  if (await removeKey(process.env, name)) return writeOutput(`Removed the key of ${name}\n`);
  const names = listKeys(process.env).map((key) => key.name);
  throw new ConfigurationError(`no key named "${name}" is stored`, {
    hint: names.length === 0 ? "No keys are stored." : `Stored keys: ${names.join(", ")}.`,
  });
}
