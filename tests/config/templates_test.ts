/** Saved templates: their placeholders, their settings, and mistakes in them. */
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { inspectConfig } from "../../lib/config/inspect.ts";
import { loadConfig } from "../../lib/config/load.ts";
import { findTemplate } from "../../lib/config/templates.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const YAML = `templates:
  short: "Sum up: {{input}}"
  translate: {prompt: "To {{ lang }}.", system: "You know {{lang}}."}
  letter: "{{greeting=Dear}} {{name}}, {{closing=}} {{greeting}} \\\\{{name}} {{ not one }}"
  optional: "About {{input=nothing}}"
  role: {system: "You are {{who}}."}
  full:
    prompt: "Who?"
    model: gpt
    options: {temperature: 0, top_p: 0.5, stop: [a]}
    extra_body: {min_p: 0.1}
    schema: {type: object}
  file: {prompt: x, schema: schemas/a.json}
  short-form: {prompt: x, schema: "name, age int"}
`;

function config(text: string) {
  const folder = temporaryFolder();
  return loadConfig({}, folder.path, folder.write("c.yaml", text));
}

function fill(name: string, input = "", values: Record<string, string> = {}) {
  return findTemplate(config(YAML), name).fill(input, new Map(Object.entries(values)));
}

Deno.test("placeholders are filled with the input, values and defaults", () => {
  assert.deepEqual(fill("short", "$& x"), { prompt: "Sum up: $& x", system: undefined });
  assert.deepEqual(fill("translate", "Hi", { lang: "French" }), {
    prompt: "To French.\n\nHi",
    system: "You know French.",
  });
  assert.equal(
    fill("letter", "", { name: "Ada" }).prompt,
    "Dear Ada,  Dear {{name}} {{ not one }}",
  );
  assert.equal(
    fill("letter", "", { name: "Ada", greeting: "Hi", closing: "Bye" }).prompt,
    "Hi Ada, Bye Hi {{name}} {{ not one }}",
  );
  assert.equal(
    fill("letter", "", { name: "{{greeting}}" }).prompt.slice(0, 17),
    "Dear {{greeting}}",
  );
  assert.equal(fill("optional").prompt, "About nothing");
  assert.deepEqual(fill("role", "Hi", { who: "Ada" }), { prompt: "Hi", system: "You are Ada." });
});

Deno.test("missing and unknown placeholders are named together, with what to type", () => {
  const cases: [() => unknown, message: RegExp, hint: RegExp][] = [
    [() => fill("shrt"), /there is no template named "shrt"/, /^Did you mean short\?$/],
    [() => fill("toString"), /no template named "toString"/, /^Configured templates: short, tran/],
    [() => fill("short"), /"short" needs a value for \{\{input\}\}$/, /Pass it as the prompt/],
    [() => fill("translate"), /needs a value for \{\{lang\}\}$/, /^Add --var lang=…$/],
    [
      () =>
        findTemplate(config("templates: {t: '{{a}} {{input}} {{b}}'}"), "t").fill("", new Map()),
      /"t" needs values for \{\{a\}\} and \{\{input\}\} and \{\{b\}\}$/,
      /^Pass it as the prompt, or pipe it in\.\nAdd --var a=… --var b=…$/,
    ],
    [
      () => fill("translate", "x", { lng: "y" }),
      /has no placeholder \{\{lng\}\}$/,
      /^Its placeholders: \{\{lang\}\}\.$/,
    ],
    [
      () => fill("short", "x", { a: "y", b: "z" }),
      /no placeholder \{\{a\}\} or \{\{b\}\}$/,
      /Remove/,
    ],
    [() => fill("short", "x", { input: "y" }), /--var cannot set \{\{input\}\}/, /Pass it as/],
  ];
  for (const [run, message, hint] of cases) {
    assert.throws(run, (error) => {
      assert.ok(error instanceof ConfigurationError);
      assert.match(error.message, message);
      assert.match(error.hint ?? "", hint);
      return true;
    });
  }
});

Deno.test("a template has a model, options and a schema", () => {
  const loaded = config(YAML);
  const full = findTemplate(loaded, "full");
  assert.equal(full.model, "gpt");
  assert.deepEqual(full.sampling, { temperature: 0, topP: 0.5, stop: ["a"] });
  assert.deepEqual(full.extraBody, { min_p: 0.1 });
  assert.deepEqual(JSON.parse(full.schema!), { name: "full", schema: { type: "object" } });
  assert.equal(findTemplate(loaded, "short-form").schema, "name, age int");
  const folder = resolve(loaded.file!, "..");
  assert.equal(findTemplate(loaded, "file").schema, `@${folder}/schemas/a.json`);
});

Deno.test("mistakes in templates are reported with their position", () => {
  const cases: [string, RegExp][] = [
    ["a: {promt: x}", /^c\.yaml:2:7: unknown field "promt": did you mean "prompt"\?$/],
    ["a: {}", /^c\.yaml:2:6: templates\.a: expected at least one of prompt, system, model/],
    ["a: {description: x}", /: templates\.a: expected at least one of/],
    ["a: 5", /: templates\.a: expected a string, or fields such as prompt/],
    ["a: {options: {temprature: 1}}", /unknown field "temprature": did you mean "temperature"\?$/],
    [
      "a: {options: {temperature: x}}",
      /:30: templates\.a\.options\.temperature: expected a number/,
    ],
    ['a: {schema: "name itn"}', /^c\.yaml:2:15: the schema, character 6: unknown type "itn"/],
    ["a: {schema: {type: strng}}", /^c\.yaml:2:15: the schema: #\/type: unknown type "strng"/],
    ["a: {schema: 5}", /templates\.a\.schema: expected a JSON Schema, a list of fields, or a file/],
  ];
  for (const [line, message] of cases) {
    const { problems } = inspectConfig("c.yaml", `templates:\n  ${line}\n`);
    assert.equal(problems.length, 1, line);
    assert.match(problems[0].message, message);
  }
  assert.deepEqual(inspectConfig("c.yaml", YAML).problems, []);
});
