/**
 * Finds and expands references in configured values: `${NAME}` to environment variables, `${keys.NAME}` to
 * stored keys.
 *
 * @module
 */
import type { Environment } from "../files/paths.ts";
import { canonicalKeyName } from "../keys/key_names.ts";

const REFERENCE = /\$\{(?:keys\.([\w.-]+)|(\w+))\}/g;
const SOLE_REFERENCE = /^\$\{(?:keys\.([\w.-]+)|(\w+))\}$/;

/** The names of the variables that `text` refers to, in order. */
export function variablesIn(text: string | undefined): string[] {
  return Array.from((text ?? "").matchAll(REFERENCE), ([, , name]) => name)
    .filter((name) => name !== undefined);
}

/** The names of the stored keys that `text` refers to, in order. */
export function keysIn(text: string | undefined): string[] {
  return Array.from((text ?? "").matchAll(REFERENCE), ([, name]) => name)
    .filter((name) => name !== undefined).map(canonicalKeyName);
}

/** The name of the variable if `text` is a single reference to one and nothing else. */
export function soleVariable(text: string | undefined): string | undefined {
  return SOLE_REFERENCE.exec(text ?? "")?.[2];
}

/** The name of the stored key if `text` is a single reference to one and nothing else. */
export function soleKey(text: string | undefined): string | undefined {
  const name = SOLE_REFERENCE.exec(text ?? "")?.[1];
  return name === undefined ? undefined : canonicalKeyName(name);
}

/** Whether `text` is a single reference and nothing else. */
export function isReference(text: string | undefined): boolean {
  return SOLE_REFERENCE.test(text ?? "");
}

/** A reference to the stored key called `name`. */
export function keyReference(name: string): string {
  return `\${keys.${name}}`;
}

/** What to insert for references. */
export interface ReferenceValues {
  /**
   * Called with the name of each variable that is not set.
   *
   * @default inserts nothing
   */
  onUnset?: (name: string) => string;
  /**
   * Called with the name of each stored key.
   *
   * @default inserts nothing
   */
  readKey?: (name: string) => string;
}

/** Replaces each reference in `text` with the value of the variable or stored key. */
export function expandReferences(
  text: string,
  env: Environment,
  { onUnset = () => "", readKey = () => "" }: ReferenceValues = {},
): string {
  return text.replace(
    REFERENCE,
    (_, key: string | undefined, variable: string) =>
      key === undefined ? env[variable] ?? onUnset(variable) : readKey(canonicalKeyName(key)),
  );
}
