/**
 * Changes fields of a JSON text without writing the rest of it again: signatures and prompt caches depend on its
 * exact bytes.
 *
 * The functions expect valid JSON whose value is an object.
 *
 * @module
 */

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/** The position of a value in a text. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** The position after a string that starts at `start`, which is that of its first quote. */
function endOfString(text: string, start: number): number {
  let at = text.indexOf('"', start + 1);
  while (at >= 0) {
    let backslashes = at - 1;
    while (text.charCodeAt(backslashes) === BACKSLASH) backslashes--;
    if ((at - backslashes) % 2 === 1) return at + 1;
    at = text.indexOf('"', at + 1);
  }
  return text.length;
}

/** The position of the next character that is not white space. */
function skipSpace(text: string, at: number): number {
  let code = text.charCodeAt(at);
  while (code === 32 || code === 10 || code === 13 || code === 9) code = text.charCodeAt(++at);
  return at;
}

/** The position after an object or array that starts at `start`. */
function endOfContainer(text: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
      continue;
    }
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
    else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --depth === 0) return at + 1;
    at++;
  }
  return at;
}

/** The position after a value that starts at `start`. */
function endOfValue(text: string, start: number): number {
  const code = text.charCodeAt(start);
  if (code === QUOTE) return endOfString(text, start);
  if (code === OPEN_BRACE || code === OPEN_BRACKET) return endOfContainer(text, start);
  let at = start;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === COMMA || code === CLOSE_BRACE || code <= 32) break;
  }
  return at;
}

/** Whether the string from `start` to `end` spells `name`, possibly with escapes. */
function spells(text: string, start: number, end: number, name: string): boolean {
  if (end - start === name.length + 2) return text.startsWith(name, start + 1);
  const source = text.slice(start, end);
  return source.includes("\\u") && JSON.parse(source) === name;
}

/** How escapes of the characters in `name` begin, such as `\\u006` for those of `model`. */
function escapesIn(name: string): string[] {
  return [...new Set(Array.from(name, (char) => `\\u00${char.charCodeAt(0).toString(16)[0]}`))];
}

/**
 * The position after the last text that may be the key `name`. Searching for it is much faster than walking
 * through a long body.
 */
function lastMention(text: string, name: string, escapes: readonly string[]): number {
  if (escapes.some((escape) => text.includes(escape))) return text.length;
  // Forwards and without the first quote: V8 is slow at `lastIndexOf`, and stops at every quote.
  const key = `${name}"`;
  let last = 0;
  for (let at = text.indexOf(key); at >= 0; at = text.indexOf(key, at + 1)) {
    if (text.charCodeAt(at - 1) === QUOTE) last = at + key.length;
  }
  return last;
}

const MODEL_ESCAPES = escapesIn("model");

/** The values of all fields `name` of the object itself: JSON allows duplicates, and servers disagree on them. */
function fieldValues(text: string, name: string): Span[] {
  const values: Span[] = [];
  const last = lastMention(text, name, name === "model" ? MODEL_ESCAPES : escapesIn(name));
  let at = text.indexOf("{") + 1;
  while (at < last) {
    const start = text.indexOf('"', at);
    if (start < 0 || start >= last) break;
    const end = endOfString(text, start);
    const colon = skipSpace(text, end);
    if (text.charCodeAt(colon) !== COLON) break;
    const value = skipSpace(text, colon + 1);
    const isNamed = spells(text, start, end, name);
    if (!isNamed && value >= last) break;
    at = endOfValue(text, value);
    if (isNamed) values.push({ start: value, end: at });
  }
  return values;
}

/**
 * Replaces the value of the field `name`, of each one if it occurs several times. Fields of nested objects
 * stay. Returns the same text if the object lacks the field, or has this value.
 *
 * @param json the new value, as JSON
 */
export function replaceField(text: string, name: string, json: string): string {
  const values = fieldValues(text, name);
  let result = "";
  let from = 0;
  for (const { start, end } of values) {
    if (end - start === json.length && text.startsWith(json, start)) continue;
    result += text.slice(from, start) + json;
    from = end;
  }
  return from === 0 ? text : result + text.slice(from);
}

/** Sets the field `name`: replaces its value, or adds it at the beginning of the object. */
export function setField(text: string, name: string, json: string): string {
  if (fieldValues(text, name).length > 0) return replaceField(text, name, json);
  const start = text.indexOf("{") + 1;
  const isEmpty = text.charCodeAt(skipSpace(text, start)) === CLOSE_BRACE;
  const field = `${JSON.stringify(name)}:${json}${isEmpty ? "" : ","}`;
  return text.slice(0, start) + field + text.slice(start);
}

/** The first key of an object. */
const FIRST_KEY = /^\s*\{\s*"([^"\\]*)"\s*:\s*/;

/**
 * Whether the object itself has the field `name` more than once. Parsers disagree on which one counts, so a check
 * of one could be undone by the other.
 *
 * @param value the last value of the field, a string. Not reported if the object begins with the same value: the
 *   first and the last one agree
 */
export function hasRepeatedField(text: string, name: string, value: string): boolean {
  // Most clients write the model first, and it is a common name in the schemas of tools.
  const start = FIRST_KEY.exec(text);
  if (start?.[1] === name && text.startsWith(JSON.stringify(value), start[0].length)) return false;
  return fieldValues(text, name).length > 1;
}

/** Replaces the model that a body requests. Returns the same text if it is that one already. */
export function renameModel(text: string, model: string): string {
  return replaceField(text, "model", JSON.stringify(model));
}
