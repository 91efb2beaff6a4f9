/** Saved templates in a batch: what each kind of record becomes. */
import assert from "node:assert/strict";
import type { BatchRecord } from "../../lib/chat/record.ts";
import { RecordConverter } from "../../lib/input/formats.ts";
import { RecordTemplate } from "../../lib/input/record_template.ts";

interface Parts {
  prompt?: string;
  system?: string;
  values?: Record<string, string>;
  /** The value of -s. */
  flag?: string;
}

function apply({ prompt, system, values = {}, flag }: Parts, value: unknown) {
  const template = new RecordTemplate({
    prompt,
    system,
    values: new Map(Object.entries(values)),
  });
  const converter = new RecordConverter({ asMetadata: ["model"], system: flag });
  return template.apply(value, (value) => converter.convert(value));
}

function recordOf(parts: Parts, value: unknown): BatchRecord {
  const converted = apply(parts, value);
  assert.ok("record" in converted, JSON.stringify(converted));
  return converted.record;
}

function textsOf(parts: Parts, value: unknown): unknown[] {
  return recordOf(parts, value).messages.map(({ role, content }) => [role[0], content]);
}

Deno.test("{{input}} is the record's own prompt, in every format", () => {
  const parts = { prompt: "To {{lang=French}}: {{input}}" };
  assert.deepEqual(textsOf(parts, { q: "Hi" }), [["u", "To French: Hi"]]);
  assert.deepEqual(textsOf(parts, { prompt: "Hi", lang: "Dutch" }), [["u", "To Dutch: Hi"]]);
  assert.deepEqual(textsOf(parts, { prompt: "Hi", lang: "" }), [["u", "To French: Hi"]]);
  assert.deepEqual(
    textsOf({ ...parts, values: { lang: "Polish" } }, { q: "Hi", lang: "Dutch" }),
    [["u", "To Polish: Hi"]],
  );
  assert.deepEqual(textsOf(parts, { instruction: "Do", input: "x", output: "y" }), [
    ["u", "To French: Do\n\nx"],
  ]);
  assert.deepEqual(
    textsOf(parts, {
      messages: [
        { role: "user", content: "A" },
        { role: "assistant", content: "B" },
        { role: "user", content: "C" },
      ],
    }),
    [["u", "A"], ["a", "B"], ["u", "To French: C"]],
  );
  const image = { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } };
  const content = [{ type: "text", text: "What?" }, image];
  assert.deepEqual(textsOf(parts, { messages: [{ role: "user", content }] }), [
    ["u", [image, { type: "text", text: "To French: What?" }]],
  ]);
});

Deno.test("a prompt without {{input}} is followed by the record's own, unless it contains it", () => {
  assert.deepEqual(textsOf({ prompt: "Sum up." }, { q: "Hi" }), [["u", "Sum up.\n\nHi"]]);
  assert.deepEqual(textsOf({ prompt: "To {{lang}}." }, { q: "Hi", lang: "Dutch" }), [
    ["u", "To Dutch.\n\nHi"],
  ]);
  assert.deepEqual(textsOf({ prompt: "Sum up: {{q}}" }, { q: "Hi" }), [["u", "Sum up: Hi"]]);
  assert.deepEqual(textsOf({ prompt: "Do: {{instruction}}" }, { instruction: "a", input: "b" }), [
    ["u", "Do: a"],
  ]);
});

Deno.test("a record without a prompt needs a template that uses its fields", () => {
  const { messages, metadata, options } = recordOf(
    { prompt: "Mood of {{text}} by {{author.name}}, {{model}}?" },
    { text: "Lovely", author: { name: "Ada" }, model: 5, temperature: 1 },
  );
  assert.deepEqual(messages, [{ role: "user", content: "Mood of Lovely by Ada, 5?" }]);
  assert.deepEqual(metadata, { text: "Lovely", author: { name: "Ada" }, model: 5 });
  assert.deepEqual(options, { temperature: 1 });
  const problems: [Parts, RegExp][] = [
    [{ prompt: "Same for all." }, /^expected a field "messages"/],
    [{ prompt: "X: {{input}}" }, /^expected a field "messages"/],
    [{ system: "A role." }, /^expected a field "messages"/],
    [{ prompt: "{{text}}", values: { text: " " } }, /^expected a field "messages"/],
    [{ prompt: "{{none= }}{{other}}", values: { other: "" } }, /^the template produces an empty/],
    [
      { prompt: "{{txt}} {{lang}}" },
      /uses \{\{txt\}\} \(did you mean \{\{text\}\}\?\).* add --var txt=… --var lang=…$/,
    ],
  ];
  for (const [parts, problem] of problems) {
    // A record with nothing but `text` would be a prompt.
    const converted = apply(parts, { text: "Lovely", stars: 5 });
    assert.ok("problem" in converted);
    assert.match(converted.problem, problem);
  }
});

Deno.test("a system prompt of the template yields to the record's and to -s", () => {
  const parts = { system: "Speak {{lang=French}}." };
  assert.deepEqual(textsOf(parts, { q: "Hi" }), [["s", "Speak French."], ["u", "Hi"]]);
  assert.deepEqual(textsOf(parts, { q: "Hi", lang: "Dutch" })[0], ["s", "Speak Dutch."]);
  assert.deepEqual(textsOf(parts, { q: "Hi", system: "Own." })[0], ["s", "Own."]);
  assert.deepEqual(textsOf({ ...parts, flag: "Flag." }, { q: "Hi" })[0], ["s", "Flag."]);
});

Deno.test("the fields of a table are checked before its rows are read", () => {
  const template = new RecordTemplate({
    prompt: "{{a}} {{b=1}} {{c}}",
    values: new Map([["c", "x"]]),
  });
  assert.deepEqual([template.fits(["a"]), template.missingFrom(["a"])], [true, undefined]);
  assert.deepEqual([template.fits(["b"]), template.missingFrom(["b"])], [false, "a"]);
  const needsPrompt = new RecordTemplate({ prompt: "{{a}} {{input}}", values: new Map() });
  assert.equal(needsPrompt.fits(["a"]), false);
});
