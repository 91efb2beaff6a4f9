/**
 * Parses and writes JSON without changing numbers that a double cannot represent, and reads values of unknown
 * shape.
 *
 * @module
 */

/** A JSON object with unknown fields. */
export type Json = Record<string, unknown>;

/**
 * A number that a double would change (`1669700650467246081`, `1.10`, `1e400`), with its source text.
 * `JSON.stringify` writes that text.
 */
export interface RawNumber {
  readonly rawJSON: string;
}

/** Exists in Deno, Bun, and Node from version 21 on. */
interface JsonWithSource {
  rawJSON?(text: string): RawNumber;
  isRawJSON?(value: unknown): boolean;
}

const { rawJSON, isRawJSON } = JSON as unknown as JsonWithSource;

/** The maximum nesting. Servers reject deeper JSON, and recursive code would overflow the stack. */
export const MAX_DEPTH = 500;

/**
 * Matches numbers that a double might not round-trip. A match inside a string only costs time.
 */
const INEXACT =
  /[:,[][ \t\n\r]*(?:-0(?![\d.])|-?(?:[\d.]{16}|\d+(?:\.\d+)?[eE]|\d+\.\d*0(?!\d)|0\.00000))/;

/** Whether `value` contains a number, down to {@link MAX_DEPTH}. */
function hasNumber(value: unknown, depth = 0): boolean {
  if (typeof value === "number") return true;
  if (typeof value !== "object" || value === null) return false;
  if (depth > MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.some((item) => hasNumber(item, depth + 1));
  for (const name in value) {
    if (hasNumber((value as Json)[name], depth + 1)) return true;
  }
  return false;
}

/** Whether the JSON `text` may contain a number that a double would change. */
export function mayBeInexact(text: string): boolean {
  return rawJSON !== undefined && INEXACT.test(text);
}

function keepSource(_name: string, value: unknown, { source }: { source?: string } = {}): unknown {
  return typeof value === "number" && source !== undefined && String(value) !== source
    ? rawJSON?.(source) ?? value
    : value;
}

/**
 * Parses JSON like `JSON.parse`, but returns a number that a double would change as a
 * {@link RawNumber}. On runtimes without source text access (Node 20) all numbers are doubles.
 *
 * Source: ECMAScript proposal "JSON.parse source text access".
 *
 * @throws {SyntaxError} if `text` is not JSON
 */
export function parseExact(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (!hasNumber(value) || (typeof value !== "number" && !mayBeInexact(text))) return value;
  return JSON.parse(text, keepSource as (name: string, value: unknown) => unknown);
}

/** Parses JSON; `undefined` if `text` is not JSON. */
export function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether `text` is JSON. */
export function isJson(text: string): boolean {
  return tryParse(text) !== undefined;
}

/** Whether `value` is a number that a double would change. */
export function isRawNumber(value: unknown): value is RawNumber {
  return typeof value === "object" && value !== null &&
    (value as Partial<RawNumber>).rawJSON !== undefined && isRawJSON?.(value) === true;
}

/** `value` with every {@link RawNumber} in it as the nearest double. */
export function withDoubles(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (isRawNumber(value)) return Number(value.rawJSON);
  if (Array.isArray(value)) return value.map(withDoubles);
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, withDoubles(field)]),
  );
}

function bigintAsNumber(_name: string, value: unknown): unknown {
  return typeof value === "bigint" && rawJSON !== undefined ? rawJSON(String(value)) : value;
}

/**
 * `JSON.stringify`, but `bigint`s become integers.
 *
 * @throws {TypeError} if `value` is circular
 * @throws {RangeError} if it is nested too deeply
 */
export function stringifyExact(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    return JSON.stringify(value, bigintAsNumber);
  }
}

/** Whether `value` is nested in more than {@link MAX_DEPTH} arrays and objects. */
export function isTooDeep(value: unknown, depth = 0): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (depth >= MAX_DEPTH) return true;
  if (Array.isArray(value)) {
    for (const item of value) if (isTooDeep(item, depth + 1)) return true;
    return false;
  }
  for (const name in value) {
    if (isTooDeep((value as Json)[name], depth + 1)) return true;
  }
  return false;
}

/** `value` if it is a JSON object, else `undefined`. */
export function asObject(value: unknown): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
      !isRawNumber(value)
    ? value as Json
    : undefined;
}

/** The JSON objects in `value` if it is an array, else none. */
export function asObjects(value: unknown): Json[] {
  if (!Array.isArray(value)) return [];
  const objects: Json[] = [];
  for (const item of value) {
    const object = asObject(item);
    if (object !== undefined) objects.push(object);
  }
  return objects;
}

/** `value` if it is a non-empty string, else `undefined`. */
export function asText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** `value` if it is a number, else `undefined`. A {@link RawNumber} becomes the nearest double. */
export function asNumber(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return isRawNumber(value) ? Number(value.rawJSON) : undefined;
}

/**
 * `value` if it is a finite number that is not negative, else `undefined`. Servers send `-1`, `null` and
 * text for token counts they don't know.
 */
export function asCount(value: unknown): number | undefined {
  const count = asNumber(value);
  return count !== undefined && count >= 0 && count < Infinity ? count : undefined;
}
