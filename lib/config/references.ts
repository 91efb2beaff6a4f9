/**
 * Finds and expands references to environment variables, `${NAME}`, in configured values.
 *
 * @module
 */
import type { Environment } from "../files/paths.ts";

const REFERENCE = /\$\{(\w+)\}/g;
const SOLE_REFERENCE = /^\$\{(\w+)\}$/;

/** The names of the variables that `text` refers to, in order. */
export function variablesIn(text: string | undefined): string[] {
  return Array.from((text ?? "").matchAll(REFERENCE), ([, name]) => name);
}

/** The name of the variable if `text` is a single reference and nothing else. */
export function soleVariable(text: string | undefined): string | undefined {
  return SOLE_REFERENCE.exec(text ?? "")?.[1];
}

/**
 * Replaces each reference in `text` with the variable's value.
 *
 * @param onUnset called with the name of each variable that is not set; its result is inserted
 * @default onUnset inserts nothing
 */
export function expandReferences(
  text: string,
  env: Environment,
  onUnset: (name: string) => string = () => "",
): string {
  return text.replace(REFERENCE, (_, name: string) => env[name] ?? onUnset(name));
}
