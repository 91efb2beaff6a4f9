/**
 * Folds text for searching: without case and accents, so that `cafe` finds `Café`.
 *
 * @module
 */

/** The accents that decomposition separates from Latin, Greek and Cyrillic letters. */
const ACCENTS = /[\u0300-\u036f]/g;
// deno-lint-ignore no-control-regex -- the ASCII range
const ASCII = /^[\x00-\x7f]*$/;

/** `text` without case and accents. */
export function folded(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  // The final form of sigma depends on its neighbors.
  return text.normalize("NFD").replace(ACCENTS, "").toLowerCase().replaceAll("ς", "σ");
}

/** Folded text, and where each of its characters comes from. */
export interface FoldedText {
  text: string;
  /** The index in the original text of each character, and finally the length of the original. */
  origins: Uint32Array | undefined;
}

/** Folds `text` like {@link folded}, so that places in the result can be found in the original. */
export function foldedWithOrigins(text: string): FoldedText {
  // The same length: each character comes from its own index.
  if (ASCII.test(text)) return { text: text.toLowerCase(), origins: undefined };
  const parts: string[] = [];
  const origins: number[] = [];
  let index = 0;
  for (const character of text) {
    const part = folded(character);
    for (let i = 0; i < part.length; i++) origins.push(index);
    parts.push(part);
    index += character.length;
  }
  origins.push(index);
  return { text: parts.join(""), origins: Uint32Array.from(origins) };
}
