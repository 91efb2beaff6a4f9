/**
 * Finds repeated keys in the JSON text of an object. Parsers disagree on which of them counts, so a check of
 * one could be undone by the other.
 *
 * @module
 */

/** The first key of an object. */
const FIRST_KEY = /^\s*\{\s*"([^"\\]*)"\s*:\s*/;

/** The index after the string that begins at `start`, where its first quote is. */
function stringEnd(text: string, start: number): number {
  let end = start + 1;
  while (true) {
    end = text.indexOf('"', end);
    if (end < 0) return text.length;
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes++;
    end++;
    if (backslashes % 2 === 0) return end;
  }
}

/** How often the object in `text`, which is valid JSON, has the key `name` itself. */
function countKey(text: string, name: string): number {
  let count = 0;
  let depth = 0;
  let isKey = false;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: {
        const end = stringEnd(text, i);
        if (depth === 1 && isKey) {
          if (JSON.parse(text.slice(i, end)) === name) count++;
          isKey = false;
        }
        i = end - 1;
        break;
      }
      case 0x7b:
      case 0x5b:
        depth++;
        isKey = true;
        break;
      case 0x7d:
      case 0x5d:
        depth--;
        isKey = false;
        break;
      case 0x2c:
        isKey = true;
        break;
    }
  }
  return count;
}

/**
 * Whether the object in `text`, which is valid JSON, has the key `name` more than once.
 *
 * @param value the last value of the key, a string. Not reported if the object begins with the same
 *   value: the first and the last one agree
 */
export function hasRepeatedKey(text: string, name: string, value: string): boolean {
  // Most clients write the model first, and it is a common name in the schemas of tools.
  const start = FIRST_KEY.exec(text);
  if (start?.[1] === name && text.startsWith(JSON.stringify(value), start[0].length)) return false;
  const quoted = `"${name}"`;
  const first = text.indexOf(quoted);
  // Keys may also be written with escapes.
  const isOnlyOne = first >= 0 && text.indexOf(quoted, first + quoted.length) < 0;
  if (isOnlyOne && !text.includes("\\u00")) return false;
  return countKey(text, name) > 1;
}
