import assert from "node:assert/strict";
import fc from "fast-check";
import { loadTemplate, Template } from "../../lib/input/template.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

function render(text: string, fields: Record<string, unknown>): string {
  const rendered = new Template(text, "the template").render(fields);
  return "text" in rendered ? rendered.text : `missing ${rendered.missing}`;
}

Deno.test("placeholders insert fields, nested fields, and JSON of other values", () => {
  const fields = { text: "T", a: { b: [10, { c: "deep" }] }, n: 1.5, none: null, "x.y": "dotted" };
  const cases: [string, string][] = [
    ["Sum up: {{text}}", "Sum up: T"],
    ["{{text}}{{ text }}", "TT"],
    ["{{a.b.1.c}} {{a.b.0}} {{a}}", 'deep 10 {"b":[10,{"c":"deep"}]}'],
    ["{{n}} {{none}} {{x.y}}", "1.5 null dotted"],
    ['{"text": {{{text}}}}', '{"text": {T}}'],
    ["\\{{text}} \\\\{{text}} \\\\\\{{text}}", "{{text}} \\T \\{{text}}"],
    ["{text} }} { { \\ \\n", "{text} }} { { \\ \\n"],
    ["{{txt}}", "missing txt"],
    ["{{a.b.7}}", "missing a.b.7"],
    ["{{toString}} {{text.length}}", "missing toString"],
    ["{{text.length}}", "missing text.length"],
  ];
  for (const [text, expected] of cases) assert.equal(render(text, fields), expected, text);
});

Deno.test("an invalid placeholder is an error with its position", () => {
  const cases: [string, RegExp][] = [
    ["ask {{text", /the template, character 5: expected a field name .* got "text"/],
    ["{{ }}", /character 1: .* got " }}"/],
    ["a {{x{y}} b", /character 3: .* got "x{y}} b"/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => new Template(text, "the template"), {
      code: "configuration",
      message,
      hint: "Write \\{{ for two literal braces.",
    });
  }
});

Deno.test("any text can be written in a template", () => {
  const text = fc.string({
    unit: fc.constantFrom("{", "{{", "}}", "\\", "a", " ", "é", "\n", "@"),
  });
  fc.assert(fc.property(
    fc.array(fc.tuple(text, fc.string())),
    text,
    (pairs, last) => {
      const braced = (literal: string) => literal.replace(/(\\*)\{\{/g, "$1$1\\{{");
      const written = pairs.map(([literal], i) =>
        `${braced(literal).replace(/(\\+)(\{?)$/, "$1$1$2")}{{ f${i} }}`
      );
      const fields = Object.fromEntries(pairs.map(([, value], i) => [`f${i}`, value]));
      const expected = pairs.map(([literal, value]) => literal + value).join("") + last;
      assert.equal(render(written.join("") + braced(last), fields), expected);
    },
  ));
});

Deno.test("a template can come from a file after @, and must use a field", () => {
  using folder = temporaryFolder();
  const path = folder.write("t.txt", "\ufeffSum up:\n{{text}}\r\n");
  assert.deepEqual(loadTemplate(`@${path}`).render({ text: "T" }), { text: "Sum up:\nT" });
  assert.deepEqual(loadTemplate("\\@{{text}}").render({ text: "T" }), { text: "@T" });
  assert.throws(() => loadTemplate(`@${folder.file("none")}`), /cannot read the template .*none/);
  assert.throws(() => loadTemplate(`@${folder.write("e", "no {field}\n")}`), /e has no {{field}}/);
  assert.throws(() => loadTemplate("Sum up: {text}"), {
    code: "configuration",
    message: "the template has no {{field}}, so all records would have the same prompt",
  });
});
