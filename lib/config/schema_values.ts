/**
 * Defines the value types of the configuration schema, with the messages for wrong values.
 *
 * @module
 */
import * as v from "valibot";

/** A string that is not empty. */
export const text = v.pipe(
  v.string("expected a string"),
  v.nonEmpty("expected a string that is not empty"),
);

/** `true` or `false`. */
export const flag = v.boolean("expected true or false");

/** A number greater than 0. */
export const positive = v.pipe(
  v.number("expected a number"),
  v.gtValue(0, "expected a number > 0"),
);

/** A number of at least 0. */
export const nonNegative = v.pipe(
  v.number("expected a number"),
  v.minValue(0, "expected a number ≥ 0"),
);

/** An integer of at least `min`. */
export function integer(min: number) {
  const message = `expected an integer ≥ ${min}`;
  return v.pipe(v.number(message), v.integer(message), v.minValue(min, message));
}

/** Adds the description that docs/configuration.md and the JSON Schema show. */
export function describe<S extends v.GenericSchema>(description: string, schema: S) {
  return v.pipe(schema, v.description(description));
}
