/**
 * Applies a change to a list of virtual keys.
 *
 * @module
 */
import { ConfigurationError } from "../../errors.ts";
import type { KeyChange, StoredKey } from "./ledger.ts";

/**
 * The keys after a change, sorted by name.
 *
 * @throws {ConfigurationError} if two keys would have the same name
 */
export function changedKeys(
  keys: readonly StoredKey[],
  { put, remove }: KeyChange,
): readonly StoredKey[] {
  if (put === undefined && remove === undefined) return keys;
  const rest = keys.filter(({ id }) => id !== put?.id && id !== remove);
  if (put === undefined) return rest;
  if (rest.some(({ name }) => name === put.name)) {
    throw new ConfigurationError(`there is already a key named ${JSON.stringify(put.name)}`, {
      hint: "Choose another name, or delete that key first.",
    });
  }
  return [...rest, put].sort((a, b) => a.name < b.name ? -1 : 1);
}
