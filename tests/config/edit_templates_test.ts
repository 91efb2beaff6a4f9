/** Edits of templates leave the rest of the file as it is. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "yaml";
import { removeTemplate, setTemplate, templateYaml } from "../../lib/config/edit_templates.ts";

const YAML = `# Mine.
default:   'gpt-4'   # the best

templates:
  short: "Sum up: {{input}}"   # brief
  # about code
  review:
    # why
    prompt: |
      Review.

        {{input}}
    system: Be terse.  # always

batch:
  concurrency:    20   # fast
# the tail
`;

Deno.test("a new template is appended, and an old one replaced, in place", () => {
  const added = setTemplate("c.yaml", YAML, "new", { entry: { prompt: "a\nb\n", model: "m" } });
  const lines = "\n  new:\n    prompt: |\n      a\n      b\n    model: m";
  assert.equal(added, YAML.replace("  # always", `  # always${lines}`));
  const replaced = setTemplate("c.yaml", YAML, "short", { entry: "x: y" });
  assert.equal(replaced, YAML.replace('"Sum up: {{input}}"', '"x: y"'));
  const windows = (text: string) => `\uFEFF${text.replaceAll("\n", "\r\n")}`;
  assert.equal(setTemplate("c.yaml", windows(YAML), "short", { entry: "x: y" }), windows(replaced));
  assert.equal(
    setTemplate("c.yaml", "default: mock  # x\n# tail", "a", { entry: "b" }),
    "default: mock  # x\n# tail\n\ntemplates:\n  a: b\n",
  );
  assert.equal(setTemplate("c.yaml", "", "a", { entry: "b" }), "templates:\n  a: b\n");
});

Deno.test("templates in other styles are edited as well", () => {
  for (
    const text of ["templates: {a: b}\nbatch: {}\n", "templates:\nbatch: {}\n", "{batch: {}}\n"]
  ) {
    const edited = setTemplate("c.yaml", text, "c", { entry: { system: "d" } });
    const { templates, ...others } = parse(text);
    assert.deepEqual(parse(edited), { ...others, templates: { ...templates, c: { system: "d" } } });
  }
  const json = setTemplate("c.json", '{\n  "models": []\n}\n', "a", { entry: { system: "x" } });
  assert.equal(
    json,
    '{\n  "models": [],\n  "templates": {\n    "a": {\n      "system": "x"\n    }\n  }\n}\n',
  );
  assert.deepEqual(JSON.parse(removeTemplate("c.json", json, "a")), { models: [], templates: {} });
});

Deno.test("a removed template leaves the others, and no empty section", () => {
  assert.equal(
    removeTemplate("c.yaml", YAML, "short"),
    YAML.replace(/ {2}short.*\n/, ""),
  );
  assert.deepEqual(parse(removeTemplate("c.yaml", YAML, "review")), {
    ...parse(YAML),
    templates: { short: "Sum up: {{input}}" },
  });
  assert.equal(removeTemplate("c.yaml", "templates:\n  a: b\nbatch: {}\n", "a"), "batch: {}\n");
});

Deno.test("the YAML of a template keeps its comments through an edit", () => {
  const { review } = parse(YAML).templates;
  const yaml = templateYaml("c.yaml", YAML, "review", review);
  assert.match(
    yaml,
    /^# why\nprompt: \|\n {2}Review\.\n\n {4}\{\{input\}\}\nsystem: Be terse\. {2}# always\n$/,
  );
  assert.equal(setTemplate("c.yaml", YAML, "review", { entry: review, yaml }), YAML);
  const other = yaml.replace("Review.", "Check.");
  const edited = setTemplate("c.yaml", YAML, "review", { entry: parse(other), yaml: other });
  assert.equal(edited, YAML.replace("Review.", "Check."));
  assert.equal(templateYaml("c.yaml", YAML, "short", { prompt: "p" }), "prompt: p\n");
});

Deno.test("any text survives saving, and nothing else changes", () => {
  const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });
  const lines = fc.array(text, { minLength: 1, maxLength: 4 }).map((all) => all.join("\n"));
  const entry = fc.oneof(
    lines,
    fc.record({ prompt: lines, system: lines }, { noNullPrototype: true }),
  );
  fc.assert(
    fc.property(fc.constantFrom("new", "short", "review"), entry, (name, entry) => {
      const before = parse(YAML);
      const edited = parse(setTemplate("c.yaml", YAML, name, { entry }));
      assert.deepEqual(edited, { ...before, templates: { ...before.templates, [name]: entry } });
    }),
    { numRuns: 200 },
  );
});
