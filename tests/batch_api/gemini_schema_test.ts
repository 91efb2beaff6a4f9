/** JSON schemas in Gemini's batches. Source: Gemini API reference, "Schema"; crmne/ruby_llm#894. */
import assert from "node:assert/strict";
import { schemaProblem, withResponseSchema } from "../../lib/batch_api/gemini/response_schema.ts";

function bodyOf(schema: unknown): string {
  return JSON.stringify({
    contents: [],
    generationConfig: { responseMimeType: "application/json", responseJsonSchema: schema },
  });
}

function converted(schema: unknown): unknown {
  const body = bodyOf(schema);
  assert.equal(schemaProblem(body), undefined);
  const { generationConfig } = JSON.parse(withResponseSchema(body));
  assert.deepEqual(Object.keys(generationConfig), ["responseMimeType", "responseSchema"]);
  return generationConfig.responseSchema;
}

Deno.test("a schema is written in Gemini's own format", () => {
  const schema = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    title: "Person",
    properties: {
      name: { type: "string", minLength: 1 },
      age: { type: ["integer", "null"], minimum: 0, multipleOf: 1 },
      mood: { enum: ["good", "bad"] },
      kind: { const: "person" },
      born: { type: "string", format: "date-time" },
      tags: { type: "array", items: { type: "string", format: "email" }, maxItems: 3 },
    },
    required: ["name", "age"],
    additionalProperties: false,
  };
  assert.deepEqual(converted(schema), {
    type: "OBJECT",
    title: "Person",
    properties: {
      name: { type: "STRING", minLength: 1 },
      age: { type: "INTEGER", minimum: 0, nullable: true },
      mood: { type: "STRING", enum: ["good", "bad"], format: "enum" },
      kind: { type: "STRING", enum: ["person"], format: "enum" },
      born: { type: "STRING", format: "date-time" },
      tags: { type: "ARRAY", items: { type: "STRING" }, maxItems: 3 },
    },
    propertyOrdering: ["name", "age", "mood", "kind", "born", "tags"],
    required: ["name", "age"],
  });
});

Deno.test("references and alternatives are resolved", () => {
  const schema = {
    $ref: "#/$defs/Root",
    $defs: {
      Root: {
        properties: {
          item: { anyOf: [{ $ref: "#/$defs/Item" }, { type: "null" }], description: "one" },
          either: { oneOf: [{ type: "string" }, { type: "number" }] },
          wrapped: { allOf: [{ $ref: "#/$defs/Item" }] },
          mixed: { type: ["string", "boolean"] },
        },
      },
      Item: { type: "object", properties: { n: { type: "number" } } },
    },
  };
  const item = { type: "OBJECT", properties: { n: { type: "NUMBER" } }, propertyOrdering: ["n"] };
  assert.deepEqual(converted(schema), {
    type: "OBJECT",
    properties: {
      item: { ...item, nullable: true, description: "one" },
      either: { anyOf: [{ type: "STRING" }, { type: "NUMBER" }] },
      wrapped: item,
      mixed: { anyOf: [{ type: "STRING" }, { type: "BOOLEAN" }] },
    },
    propertyOrdering: ["item", "either", "wrapped", "mixed"],
  });
});

Deno.test("a schema that the format cannot express is a problem of the row", () => {
  const problem = (schema: unknown) => schemaProblem(bodyOf(schema)) ?? "";
  const object = (property: unknown) => ({ type: "object", properties: { a: property } });
  const tree = { type: "object", properties: { child: { $ref: "#/$defs/Tree" } } };
  assert.match(problem({ ...tree, $defs: { Tree: tree } }), /refers to itself/);
  assert.match(problem(object({ $ref: "#/$defs/Lost" })), /cannot be resolved/);
  assert.match(problem(object({ type: "array", prefixItems: [{}], items: {} })), /prefixItems/);
  assert.match(problem(object({})), /any type/);
  assert.match(problem({ type: "object" }), /without properties/);
  assert.match(
    problem({ type: "object", additionalProperties: { type: "number" } }),
    /additionalProperties/,
  );
  assert.match(problem({ allOf: [object({}), object({})] }), /allOf/);
});

Deno.test("other requests stay as they are, to the byte", () => {
  const body = '{"contents":[{"n":1.10}],"generationConfig":{"responseSchema":{"type":"OBJECT"}}}';
  assert.equal(withResponseSchema(body), body);
  assert.equal(schemaProblem(body), undefined);
  const text = '{"contents":[{"text":"\\"responseJsonSchema\\""}]}';
  assert.equal(withResponseSchema(text), text);
});

Deno.test("numbers next to a schema are exact", () => {
  const body = '{"seed":1669700650467246081,"generationConfig":{"temperature":1.10,' +
    '"responseJsonSchema":{"type":"string"}}}';
  assert.equal(
    withResponseSchema(body),
    '{"seed":1669700650467246081,"generationConfig":{"temperature":1.10,' +
      '"responseSchema":{"type":"STRING"}}}',
  );
});
