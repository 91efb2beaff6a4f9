/**
 * Checks the keys and names that users want to store.
 *
 * @module
 */

/** Text that templates and tutorials put in place of a real key. */
const PLACEHOLDER = /^(<.*>|sk-\.*|x{3,}|\.{3}|(sk-)?your[-_ ].*|change[-_ ]?me)$/i;

/** Longest key. Source: the default limits of nginx (8 KiB per header) and Node.js (16 KiB for all). */
const MAX_KEY = 8000;

/** Whether `key` is text that stands for a key, such as `<your key>`. */
export function isPlaceholder(key: string): boolean {
  return PLACEHOLDER.test(key);
}

/** The first character that no API key contains, and its position from 1. */
function firstInvalid(key: string): [character: string, position: number] | undefined {
  const i = Array.from(key).findIndex((character) => !/^[\x21-\x7e]$/.test(character));
  return i < 0 ? undefined : [Array.from(key)[i], i + 1];
}

function named(character: string): string {
  if (character === " ") return "a space";
  if (character === "\t") return "a tab";
  const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
  return /\p{C}|\p{Z}/u.test(character) ? `U+${code}` : `"${character}" (U+${code})`;
}

/**
 * What is wrong with a key: a sentence that does not repeat it. `undefined` if it can be stored.
 *
 * @param key without surrounding white space
 */
export function keyProblem(key: string): string | undefined {
  if (key === "") return "The key is empty.";
  const lines = key.split(/\r\n|\r|\n/).length;
  if (key.length > MAX_KEY) {
    return `It has ${key.length} characters, but servers accept at most ${MAX_KEY} in a header.`;
  }
  if (lines > 1) return `Expected one key on one line, got ${lines} lines.`;
  if (/^Bearer\s/i.test(key)) return 'Enter the key without "Bearer".';
  if (isPlaceholder(key)) return "That is a placeholder, not a key.";
  const invalid = firstInvalid(key);
  if (invalid !== undefined) {
    const [character, position] = invalid;
    return `A key has no spaces or special characters, but character ${position} is ` +
      `${named(character)}. Copy it again.`;
  }
  if (/^(["'`]).*\1$/.test(key)) return "Enter the key without quotes.";
  if (/^[A-Z][A-Z0-9_]*=/.test(key)) return "Enter only the key, without NAME=.";
  if (key.includes("${")) return "That is a reference, not a key.";
  return undefined;
}

/** Whether `name` can name a stored key, and be written as `${keys.NAME}`. */
export function isKeyName(name: string): boolean {
  return /^[a-z0-9][a-z0-9_.-]{0,63}$/.test(name);
}

/** Whether `text` is probably a key, given where a name belongs. */
export function looksLikeKey(text: string): boolean {
  return /^(sk|pk|gsk|xai|hf|key|AIza|nvapi|ghp|github_pat)[-_]?\w{8}/.test(text) ||
    (text.length >= 24 && /\d/.test(text) && /[a-z]/i.test(text));
}
