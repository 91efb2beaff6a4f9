/**
 * Remembers where in a request a decoded message or part was, so that errors name the client's own field.
 *
 * @module
 */

const paths = new WeakMap<object, string>();

/** Notes that `value` was decoded from the field at `path`. Returns `value`. */
export function located<T extends object>(value: T, path: string): T {
  paths.set(value, path);
  return value;
}

/** The path of the field that `value` was decoded from; `undefined` if it was not noted. */
export function pathOf(value: unknown): string | undefined {
  return typeof value === "object" && value !== null ? paths.get(value) : undefined;
}
