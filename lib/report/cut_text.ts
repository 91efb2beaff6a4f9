/**
 * Shortens texts of a report, so that its size is limited whatever they contain.
 *
 * @module
 */

/** Bytes that a character takes in the page, after escaping. */
function sizeOf(character: string): number {
  const code = character.codePointAt(0)!;
  if (code < 0x80) return /[<>"'&]/.test(character) ? 6 : 1;
  return code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

// deno-lint-ignore no-control-regex
const CONTROLS = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

/**
 * The start of `text` that takes at most `bytes` in the page, followed by an ellipsis if it is cut off. Control
 * characters, which no browser shows, those that change the direction of text and can disguise it, and lone
 * surrogates are replaced.
 */
export function cutText(text: string, bytes: number): string {
  // Each character takes at least one byte; the rest of a long text need not be read.
  const start = text.slice(0, bytes + 1).toWellFormed().replace(CONTROLS, "\ufffd");
  let rest = bytes;
  let length = 0;
  for (const character of start) {
    rest -= sizeOf(character);
    if (rest < 0) return `${start.slice(0, length)}…`;
    length += character.length;
  }
  return text.length > start.length ? `${start}…` : start;
}
