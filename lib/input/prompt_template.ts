/**
 * Fills in the placeholders of saved prompts: `{{name}}`, or `{{name=default}}`.
 *
 * @module
 */

/** The placeholder for the prompt that a template is applied to. */
export const INPUT = "input";

/** A backslash before the braces makes them literal. Other text in braces is not a placeholder. */
const PLACEHOLDER = /(\\?)\{\{\s*([\p{L}\p{N}_.-]+)\s*(?:=([^{}]*))?\}\}/gu;

/** Returns the value of a placeholder; `undefined` if it has none. */
export type Lookup = (name: string) => string | undefined;

/** The placeholders of `texts`, each with its default. A default applies wherever the name is used. */
export function placeholdersOf(
  ...texts: (string | undefined)[]
): ReadonlyMap<string, string | undefined> {
  const found = new Map<string, string | undefined>();
  for (const text of texts) {
    for (const [, escape, name, value] of text?.matchAll(PLACEHOLDER) ?? []) {
      if (escape === "") found.set(name, found.get(name) ?? value?.trim());
    }
  }
  return found;
}

/** Replaces the placeholders in `text`. Those without a value are removed. */
export function fillPlaceholders(text: string, valueOf: Lookup): string {
  return text.replace(
    PLACEHOLDER,
    (all: string, escape: string, name: string) =>
      escape === "" ? valueOf(name) ?? "" : all.slice(1),
  );
}
