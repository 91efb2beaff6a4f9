/**
 * Checks the fields of request bodies. Each protocol has its own error messages.
 *
 * @module
 */
import { asObject, type Json } from "../json/json.ts";
import type { ServerError } from "./serve.ts";

/** Thrown by a check to reject the request. */
export class RejectedRequest extends Error {
  /** The error to send. */
  readonly error: ServerError;

  constructor(error: ServerError) {
    super(error.message);
    this.error = error;
  }
}

/** Rejects the request with status 400. */
export function reject(message: string, param?: string, code?: string | null): never {
  throw new RejectedRequest({ status: 400, message, param, code });
}

/** The type that a check expects. */
export type Expected = "string" | "number" | "integer" | "boolean" | "array" | "object";

/** The error messages of an API. Every method but `at` rejects the request. */
export interface Wording {
  /** Appends a field name or an array index to a path. */
  at(path: string, key: string | number): string;
  missing(path: string): never;
  type(path: string, expected: Expected, value: unknown): never;
  /** For a number below `min` or above `max`. */
  range(path: string, value: number, min: number, max: number, integer: boolean): never;
  choice(path: string, allowed: readonly string[], value: unknown): never;
  /** For an array with fewer than `min` or more than `max` items. */
  length(path: string, length: number, min: number, max: number): never;
}

/** The name of a value's type: one of {@link Expected}, or `null`. */
export function typeNameOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

/** An object in a body. Absent fields and `null` pass every check but `required` and `requiredObject`. */
export class Fields {
  readonly value: Json;
  readonly path: string;
  readonly #wording: Wording;

  constructor(wording: Wording, value: Json, path = "") {
    this.#wording = wording;
    this.value = value;
    this.path = path;
  }

  /** Rejects the request unless `value` is an object. */
  static of(wording: Wording, value: unknown, path: string): Fields {
    return new Fields(wording, asObject(value) ?? wording.type(path, "object", value), path);
  }

  /** The path of a field. */
  at(name: string): string {
    return this.#wording.at(this.path, name);
  }

  /** Whether a field has a value. */
  has(name: string): boolean {
    return this.value[name] !== undefined && this.value[name] !== null;
  }

  /** Rejects the request if one of the fields has no value. */
  required(...names: string[]): this {
    for (const name of names) if (!this.has(name)) this.#wording.missing(this.at(name));
    return this;
  }

  /** A required object. */
  requiredObject(name: string): Fields {
    return this.required(name).object(name)!;
  }

  string(name: string): string | undefined {
    return this.#typed(name, "string") as string | undefined;
  }

  boolean(name: string): boolean | undefined {
    return this.#typed(name, "boolean") as boolean | undefined;
  }

  number(name: string, min = -Infinity, max = Infinity, integer = false): number | undefined {
    const value = this.#typed(name, integer ? "integer" : "number") as number | undefined;
    if (value === undefined) return undefined;
    if (value < min || value > max) this.#wording.range(this.at(name), value, min, max, integer);
    return value;
  }

  integer(name: string, min?: number, max?: number): number | undefined {
    return this.number(name, min, max, true);
  }

  object(name: string): Fields | undefined {
    const value = this.#typed(name, "object") as Json | undefined;
    return value && new Fields(this.#wording, value, this.at(name));
  }

  array(name: string, min = 0, max = Infinity): unknown[] | undefined {
    const value = this.#typed(name, "array") as unknown[] | undefined;
    if (value === undefined) return undefined;
    const { length } = value;
    if (length < min || length > max) this.#wording.length(this.at(name), length, min, max);
    return value;
  }

  strings(name: string, min?: number, max?: number): string[] | undefined {
    const values = this.array(name, min, max);
    values?.forEach((value, i) => {
      if (typeof value !== "string") {
        this.#wording.type(this.#wording.at(this.at(name), i), "string", value);
      }
    });
    return values as string[] | undefined;
  }

  objects(name: string, min?: number, max?: number): Fields[] | undefined {
    return this.array(name, min, max)?.map((value, i) =>
      Fields.of(this.#wording, value, this.#wording.at(this.at(name), i))
    );
  }

  choice(name: string, allowed: readonly string[]): string | undefined {
    const value = this.value[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== "string") return this.#wording.type(this.at(name), "string", value);
    return allowed.includes(value) ? value : this.#wording.choice(this.at(name), allowed, value);
  }

  /** The first field that is not in `known`. */
  unknown(known: ReadonlySet<string>): string | undefined {
    return Object.keys(this.value).find((name) => !known.has(name));
  }

  #typed(name: string, expected: Expected): unknown {
    const value = this.value[name];
    if (value === undefined || value === null) return undefined;
    const isRight = expected === "integer"
      ? Number.isInteger(value)
      : typeNameOf(value) === expected;
    return isRight ? value : this.#wording.type(this.at(name), expected, value);
  }
}

/** The error of a check; `undefined` if it passes. */
export function problemOf(check: () => void): ServerError | undefined {
  try {
    check();
  } catch (error) {
    if (error instanceof RejectedRequest) return error.error;
    throw error;
  }
}
