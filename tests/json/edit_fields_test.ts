/** Changing single fields of a body leaves every other character of it alone. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  hasRepeatedField,
  renameModel,
  replaceField,
  setField,
} from "../../lib/json/edit_fields.ts";

for (
  const [name, body, expected] of [
    ["at the beginning", '{"model":"a","n":1}', '{"model":"b","n":1}'],
    ["at the end", '{"n":1, "model" : "a" }', '{"n":1, "model" : "b" }'],
    ["as the only field", '\n {\t"model"\r\n:\n"a"}\n', '\n {\t"model"\r\n:\n"b"}\n'],
    ["twice", '{"model":"a","n":[1],"model":"c"}', '{"model":"b","n":[1],"model":"b"}'],
    ["with an escaped name", '{"\\u006dodel":"a"}', '{"\\u006dodel":"b"}'],
    [
      "with a wholly escaped name",
      '{"\\u006D\\u006f\\u0064\\u0065\\u006C":"a"}',
      '{"\\u006D\\u006f\\u0064\\u0065\\u006C":"b"}',
    ],
    ["with escapes in its value", '{"model":"a\\"}\\\\","n":1}', '{"model":"b","n":1}'],
    [
      "that is no text",
      '{"model":null,"model":{"model":"a"},"model":[1,2],"model":1e5}',
      '{"model":"b","model":"b","model":"b","model":"b"}',
    ],
    [
      "not in nested objects",
      '{"a":{"model":"x"},"b":[{"model":"y"}],"model":"a"}',
      '{"a":{"model":"x"},"b":[{"model":"y"}],"model":"b"}',
    ],
    [
      "not in strings",
      '{"a":"\\"model\\":\\"x\\"","type":"model","model":"a"}',
      '{"a":"\\"model\\":\\"x\\"","type":"model","model":"b"}',
    ],
    [
      "not in similar names",
      '{"Model":"x","model2":"x","mode":"x"}',
      '{"Model":"x","model2":"x","mode":"x"}',
    ],
    [
      "beside numbers that a double changes",
      '{"n":1.10,"id":12345678901234567890,"model":"a"}',
      '{"n":1.10,"id":12345678901234567890,"model":"b"}',
    ],
    [
      "beside a string that ends with backslashes",
      '{"a":"\\\\\\\\","model":"a"}',
      '{"a":"\\\\\\\\","model":"b"}',
    ],
  ] as const
) {
  Deno.test(`the model is renamed ${name}`, () => assert.equal(renameModel(body, "b"), expected));
}

Deno.test("the name of a model is escaped", () => {
  assert.equal(renameModel('{"model":"a"}', 'q"\\'), '{"model":"q\\"\\\\"}');
});

Deno.test("an unchanged model returns the same text", () => {
  const body = '{"model":"a","n":1.0}';
  assert.equal(renameModel(body, "a"), body);
});

Deno.test("a field is set in a body with and without it", () => {
  assert.equal(setField("{}", "x", "[1]"), '{"x":[1]}');
  assert.equal(setField(' { "a":1}', "x", "[1]"), ' {"x":[1], "a":1}');
  assert.equal(setField('{"x":null,"a":{"x":2}}', "x", "1"), '{"x":1,"a":{"x":2}}');
});

/** JSON text with random white space, escapes and order, with some fields that are called `model`. */
const anyObject = fc.letrec<{ value: string; object: string }>((tie) => {
  const space = fc.constantFrom("", "", " ", "\n", "\r\n\t");
  const plainKey = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom("model", "models", "a", "", "stream_options") },
    fc.string({ unit: "binary", maxLength: 6 }),
  ).map((key) => JSON.stringify(key));
  const key = fc.tuple(plainKey, fc.boolean()).map(([key, escaped]) =>
    escaped
      ? key.replace(/[a-z](?=[^"\\]*"$)/, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`)
      : key
  );
  const scalar = fc.oneof(
    fc.string({ unit: "binary", maxLength: 12 }).map((text) => JSON.stringify(text)),
    fc.constantFrom("1.10", "-0", "1e400", "true", "null", "12345678901234567890", '"\\\\"'),
    fc.constantFrom('"model"', '"\\"model\\":"', '"{[\\\\\\""', '"\\ud83d\\ude00"'),
  );
  const field = fc.tuple(space, key, space, space, tie("value"), space)
    .map(([a, key, b, c, value, d]) => `${a}${key}${b}:${c}${value}${d}`);
  return {
    object: fc.array(field, { maxLength: 6 }).map((fields) => `{${fields.join(",")}}`),
    value: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      scalar,
      tie("object"),
      fc.array(tie("value"), { maxLength: 3 }).map((items) => `[${items.join(" ,")}]`),
    ),
  };
}).object;

Deno.test("renaming agrees with parsing, and repeats", () => {
  fc.assert(
    fc.property(anyObject, fc.string({ unit: "binary", maxLength: 10 }), (text, model) => {
      const renamed = renameModel(text, model);
      const expected = JSON.parse(text);
      if (Object.hasOwn(expected, "model")) expected.model = model;
      assert.deepEqual(JSON.parse(renamed), expected);
      assert.equal(renameModel(renamed, model), renamed);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("renaming to a longer name and back restores the text", () => {
  fc.assert(
    fc.property(anyObject, (text) => {
      const first = renameModel(text, "first");
      assert.equal(renameModel(renameModel(first, "a longer name"), "first"), first);
      // Every value of the object's own fields was replaced: the last one hides the others from JSON.parse.
      const models = new Set<unknown>();
      JSON.parse(first, function (key, value) {
        if (key === "model") models.add(value);
        return value;
      });
      assert.ok(!Object.hasOwn(JSON.parse(text), "model") || models.has("first"));
    }),
    { numRuns: 1000 },
  );
});

Deno.test("setting a field agrees with parsing", () => {
  fc.assert(
    fc.property(anyObject, (text) => {
      const expected = { ...JSON.parse(text), stream_options: { include_usage: true } };
      const json = '{"include_usage":true}';
      assert.deepEqual(JSON.parse(setField(text, "stream_options", json)), expected);
      assert.equal(
        replaceField(setField(text, "stream_options", json), "stream_options", json),
        setField(text, "stream_options", json),
      );
    }),
    { numRuns: 2000 },
  );
});

Deno.test("finds repeated fields of the object itself, however they are written", () => {
  const repeats = (text: string) => hasRepeatedField(text, "model", JSON.parse(text).model);
  assert(!repeats('{"model":"a"}'));
  assert(!repeats('{"model":"a","tools":[{"model":"b"}],"x":"\\"model\\":1"}'));
  assert(!repeats('{"x":{"model":"b"},"model":"a"}'));
  assert(!repeats('{"x":"model","model":"model"}'));
  assert(repeats('{"x":{"model":"b"},"model":"b","model":"a"}'));
  assert(repeats('{"x":"\\\\","model":"b", "mod\\u0065l" :"a"}'));
  const key = fc.constantFrom("model", "a", 'q"', "b\\");
  const value = fc.oneof(fc.string(), fc.constant({ model: ["x", { model: 1 }] }));
  fc.assert(fc.property(fc.array(fc.tuple(key, value), { maxLength: 6 }), (members) => {
    const text = `{${
      members.map((pair) => pair.map((v) => JSON.stringify(v)).join(": ")).join(" ,")
    }}`;
    const values = members.filter(([name]) => name === "model").map(([, value]) => value);
    const last = values.at(-1);
    if (typeof last !== "string") return;
    const isHarmless = members[0][0] === "model" && values[0] === last;
    assert.equal(hasRepeatedField(text, "model", last), values.length > 1 && !isHarmless);
  }));
});
