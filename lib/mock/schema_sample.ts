/**
 * Generates values that match a JSON Schema, for tool arguments and structured answers.
 *
 * Source: JSON Schema 2020-12, the keywords that providers accept in strict schemas.
 *
 * @module
 */

type Schema = Record<string, unknown>;

/** Deep enough for real schemas; recursive ones end here. */
const MAX_DEPTH = 12;

function asSchema(value: unknown): Schema | undefined {
  return typeof value === "object" && value !== null ? value as Schema : undefined;
}

function resolve(schema: Schema, root: Schema): Schema {
  if (typeof schema.$ref !== "string" || !schema.$ref.startsWith("#")) return schema;
  let target: unknown = root;
  for (const part of schema.$ref.slice(1).split("/").filter((part) => part !== "")) {
    const name = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    target = asSchema(target)?.[name];
  }
  return asSchema(target) ?? {};
}

const FORMATS: Record<string, string> = {
  "date-time": "2026-01-02T03:04:05Z",
  date: "2026-01-02",
  time: "03:04:05Z",
  email: "someone@example.com",
  uri: "https://example.com/",
  uuid: "00000000-0000-4000-8000-000000000000",
};

function sampleString(schema: Schema): string {
  const text = FORMATS[String(schema.format)] ?? "text";
  const { minLength = 0, maxLength = Infinity } = schema as Record<string, number>;
  return text.padEnd(minLength, "x").slice(0, maxLength);
}

function sampleNumber(schema: Schema, whole: boolean): number {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema as Record<
    string,
    number | undefined
  >;
  const step = multipleOf ?? (whole ? 1 : 0.5);
  const low = minimum ?? (exclusiveMinimum === undefined ? undefined : exclusiveMinimum + step);
  const high = maximum ?? (exclusiveMaximum === undefined ? undefined : exclusiveMaximum - step);
  const value = low ?? Math.min(1, high ?? 1);
  return multipleOf || whole ? Math.ceil(value / step) * step : value;
}

function sampleObject(schema: Schema, root: Schema, depth: number): Schema {
  const properties = asSchema(schema.properties) ?? {};
  const required = Array.isArray(schema.required) ? schema.required : [];
  // Near the limit, only required fields, so that recursive schemas end.
  const names = depth < MAX_DEPTH / 2 ? Object.keys(properties) : required;
  return Object.fromEntries(
    [...new Set([...names, ...required])].map((name) => [
      name,
      sample(asSchema(properties[name]) ?? {}, root, depth + 1),
    ]),
  );
}

function sample(given: Schema, root: Schema, depth: number): unknown {
  if (depth > MAX_DEPTH) return null;
  const schema = resolve(given, root);
  if ("const" in schema) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  for (const choice of [schema.anyOf, schema.oneOf]) {
    if (Array.isArray(choice)) return sample(asSchema(choice[0]) ?? {}, root, depth + 1);
  }
  if (Array.isArray(schema.allOf)) {
    return sample(
      Object.assign({}, schema, { allOf: undefined }, ...schema.allOf),
      root,
      depth + 1,
    );
  }
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type ?? (schema.properties === undefined ? "string" : "object")) {
    case "object":
      return sampleObject(schema, root, depth);
    case "array": {
      const length = Math.max(1, Number(schema.minItems ?? 1));
      return Array.from(
        { length },
        () => sample(asSchema(schema.items) ?? {}, root, depth + 1),
      );
    }
    case "integer":
      return sampleNumber(schema, true);
    case "number":
      return sampleNumber(schema, false);
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return sampleString(schema);
  }
}

/** Returns a value that matches `schema`. */
export function sampleOf(schema: Record<string, unknown>): unknown {
  return sample(schema, schema, 0);
}
