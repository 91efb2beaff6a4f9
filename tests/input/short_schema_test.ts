/** Schemas in short form, and how the value of --schema is understood. */
import assert from "node:assert/strict";
import { Ajv } from "ajv";
import { InvalidInputError } from "../../lib/errors.ts";
import { readSchema, schemaFileOf } from "../../lib/input/schema_file.ts";
import { parseShortSchema } from "../../lib/input/short_schema.ts";
import type { Json } from "../../lib/json/json.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

function object(properties: Record<string, unknown>): Json {
  return {
    type: "object",
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
  };
}

const STRING = { type: "string" };

Deno.test("every type of the short form becomes JSON Schema", () => {
  const cases: [string, Record<string, unknown>][] = [
    ["name", { name: STRING }],
    ["name, age int", { name: STRING, age: { type: "integer" } }],
    ["a str, b string, c text", { a: STRING, b: STRING, c: STRING }],
    ["a float, b number, c bool, d boolean", {
      a: { type: "number" },
      b: { type: "number" },
      c: { type: "boolean" },
      d: { type: "boolean" },
    }],
    ["tags [string], grid [[int]], any []", {
      tags: { type: "array", items: STRING },
      grid: { type: "array", items: { type: "array", items: { type: "integer" } } },
      any: { type: "array", items: STRING },
    }],
    ["address {street, city}", { address: object({ street: STRING, city: STRING }) }],
    ["people [name, age int]", {
      people: { type: "array", items: object({ name: STRING, age: { type: "integer" } }) },
    }],
    ["people [{name}]", { people: { type: "array", items: object({ name: STRING }) } }],
    ['mood (good| very bad |"n/a, unknown")', {
      mood: { type: "string", enum: ["good", "very bad", "n/a, unknown"] },
    }],
    ["moods [(good|bad)]", {
      moods: { type: "array", items: { type: "string", enum: ["good", "bad"] } },
    }],
    ["Größe float, 名前", { Größe: { type: "number" }, 名前: STRING }],
    ["{a, b}", { a: STRING, b: STRING }],
    ["parts [text, page int], pairs [{int, float}]", {
      parts: { type: "array", items: object({ text: STRING, page: { type: "integer" } }) },
      pairs: { type: "array", items: object({ int: STRING, float: STRING }) },
    }],
    ["[a, b]", {
      items: { type: "array", items: object({ a: STRING, b: STRING }) },
    }],
    [" a ,\n b,", { a: STRING, b: STRING }],
  ];
  for (const [text, properties] of cases) {
    assert.deepEqual(parseShortSchema(text), object(properties), text);
  }
});

Deno.test("descriptions follow a colon, to the comma or, in several lines, to the end of the line", () => {
  const described = (description: string, type = "string") => ({ type, description });
  assert.deepEqual(
    parseShortSchema(
      'name: the full name, age int: in years, x: "a, b", y: "int", z: (if any) text, n int: number',
    ),
    object({
      name: described("the full name"),
      age: described("in years", "integer"),
      x: described("a, b"),
      y: described("int"),
      z: described("(if any) text"),
      n: described("number", "integer"),
    }),
  );
  assert.deepEqual(
    parseShortSchema(
      "name: last, first\r\nage int: rounded, in years\n\naddress {street: with number, city}\n",
    ),
    object({
      name: described("last, first"),
      age: described("rounded, in years", "integer"),
      address: object({ street: described("with number"), city: STRING }),
    }),
  );
});

Deno.test("an optional field may be null, and the others may not", () => {
  const schema = parseShortSchema("a?, b? int, c? (x|y), d? {e}, f? [int], g int");
  const validate = new Ajv().compile(schema);
  const value = { a: "x", b: 1, c: "x", d: { e: "x" }, f: [1], g: 1 };
  assert.ok(validate(value));
  for (const name of ["a", "b", "c", "d", "f"]) {
    assert.ok(validate({ ...value, [name]: null }), name);
  }
  assert.ok(!validate({ ...value, g: null }));
  assert.ok(!validate({ ...value, c: "z" }));
  const { a: _, ...without } = value;
  assert.ok(!validate(without));
});

Deno.test("mistakes in the short form are reported with their position", () => {
  const cases: [string, RegExp][] = [
    ["", /^the schema, character 1: expected a field name, found the end$/],
    ["name, age itn", /character 11: unknown type "itn": did you mean int\?$/],
    ["name first last", /character 6: unknown type "first": types are .* commas separate fields/],
    ["a int int", /character 7: expected a comma, ":" or the end, found "int"/],
    [
      "tags [strng]",
      /character 7: .*did you mean string\? For a list of objects, write \[\{strng\}\]/,
    ],
    ["mood good|bad", /character 6: expected a choice in parentheses, such as \(good\|bad\)/],
    ["mood (good|)", /character 12: expected a value, as in \(good\|bad\), found "\)"/],
    ["mood (a|a)", /character 9: the value "a" is given twice/],
    ["a, b, a", /character 7: the field "a" is given twice/],
    ["a {b", /character 5: expected a comma, ":" or "\}", found the end/],
    ["a [int", /character 7: expected .*, found the end/],
    ["{a} b", /character 5: expected the end of the schema, found "b"/],
    ["a\nb itn\nc", /^the schema, line 2, character 3: unknown type "itn"/],
    ["tags list", /character 6: unknown type "list": a list is written as \[string\]/],
    ["age null", /character 5: unknown type "null": a field that may be null .*"age\? int"/],
    ["a set", /unknown type "set": types are str, int/],
    ["name: str, age: int", /character 6: the type comes before the colon: write "age int"/],
    ["{name, age: integer}", /character 12: the type comes before the colon/],
    ["name: the name\nage: int?\n", /line 2, character 5: the type comes before the colon/],
    ["tags: [string]", /character 6: a type comes before the colon: "tags \[string\]"/],
    ["mood: (good|bad)", /character 6: a type comes before the colon/],
    [
      "pair [int, float]",
      /character 7: expected one type, found "int, float".* \[\{int, float\}\]/,
    ],
    [`${"a {".repeat(60)}`, /nested more than 50 levels deep/],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => parseShortSchema(text),
      (error) => error instanceof InvalidInputError && message.test(error.message),
      text,
    );
  }
});

Deno.test("--schema takes JSON, a file or the short form", () => {
  using folder = temporaryFolder();
  const inFolder = (name: string, text: string) => folder.write(name, text);
  const plain = { type: "object", properties: { a: { type: "integer" } } };
  const schemaOf = (given: string) => readSchema(given).json_schema;

  assert.deepEqual(schemaOf(JSON.stringify(plain)), {
    name: "answer",
    schema: plain,
    strict: undefined,
  });
  assert.deepEqual(schemaOf('{"name": "n", "schema": {}, "strict": true}'), {
    name: "n",
    schema: {},
    strict: true,
  });
  assert.deepEqual(schemaOf("a int"), {
    name: "answer",
    schema: object({ a: { type: "integer" } }),
    strict: true,
  });
  const json = inFolder("river.json", JSON.stringify(plain));
  assert.deepEqual(schemaOf(json), { name: "river", schema: plain, strict: undefined });
  const short = inFolder("person", "name: last, first\nage int\n");
  assert.deepEqual(Object.keys(schemaOf(short).schema.properties as Json), ["name", "age"]);
  assert.deepEqual(schemaOf(`@${short}`), schemaOf(short));
  // Longer than a file name may be.
  assert.ok(schemaOf(Array.from({ length: 200 }, (_, i) => `field${i} int`).join(", ")));

  const mistakes: [string, RegExp][] = [
    ["person.json", /^cannot read the schema person\.json: it does not exist$/],
    ["schemas/person", /^cannot read the schema schemas\/person: it does not exist$/],
    ["@person", /^cannot read the schema person: it does not exist$/],
    ["C:\\person", /^cannot read the schema C:\\person/],
    ['{"type": }', /^the schema:1:10: not valid JSON/],
    ['{"type": "strng"}', /^the schema: #\/type: unknown type "strng"/],
    [inFolder("bad", "a itn"), /bad, character 3: unknown type "itn"/],
  ];
  for (const [given, message] of mistakes) {
    assert.throws(
      () => readSchema(given),
      (error) => error instanceof InvalidInputError && message.test(error.message),
      given,
    );
  }
  for (const given of ["name: first/last", "a, b.c", "size (a/b|c)", "name? int"]) {
    assert.equal(schemaFileOf(given), undefined, given);
  }
});
