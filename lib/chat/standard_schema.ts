/**
 * The Standard Schema interface, through which schemas of zod, valibot, arktype and others are used.
 *
 * Source: `@standard-schema/spec` 1.1, `StandardSchemaV1` and `StandardJSONSchemaV1`
 * (https://standardschema.dev). Copied, as the specification suggests, to avoid the dependency.
 *
 * @module
 */

/**
 * A schema of any library that implements Standard Schema: zod, valibot, arktype and others.
 *
 * `Input` is the value that the model writes, `Output` the value after validation and transforms.
 */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  /** The properties that the specification defines. */
  readonly "~standard": StandardSchemaProps<Input, Output>;
}

/** The properties of a {@link StandardSchemaV1}. */
export interface StandardSchemaProps<Input = unknown, Output = Input> {
  /** The version of the specification. */
  readonly version: 1;
  /** The name of the library, e.g. `zod`. */
  readonly vendor: string;
  /** Validates a value. */
  readonly validate: (
    value: unknown,
  ) => StandardSchemaResult<Output> | Promise<StandardSchemaResult<Output>>;
  /** The schema's types; exists only for type inference. */
  readonly types?: { readonly input: Input; readonly output: Output } | undefined;
}

/** The result of a validation: the output, or the issues. */
export type StandardSchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardSchemaIssue[] };

/** One reason why a value was rejected. */
export interface StandardSchemaIssue {
  /** The library's description. */
  readonly message: string;
  /** The path of the rejected value, outermost key first. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The optional part of the specification that converts a schema to JSON Schema. */
export interface JsonSchemaConverter {
  /** The JSON Schema of the input. Throws if the schema has a type that JSON cannot represent. */
  readonly input: (options: { readonly target: string }) => Record<string, unknown>;
}

/** Whether `value` is a Standard Schema. arktype's schemas are functions. */
export function isStandardSchema(value: unknown): value is StandardSchemaV1 {
  const isObject = typeof value === "object" ? value !== null : typeof value === "function";
  return isObject && "~standard" in (value as object);
}
