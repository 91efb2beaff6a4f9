/** Edits of configuration files preserve what the user wrote. */
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
} from "node:fs";
import fc from "fast-check";
import { parse } from "yaml";
import { parseConfig } from "../../lib/files/document.ts";
import { addModel, setDefault } from "../../lib/config/edit.ts";
import { inspectConfig } from "../../lib/config/inspect.ts";
import { inspectServers } from "../../lib/config/inspect_servers.ts";
import { keyState } from "../../lib/config/key_state.ts";
import { redactConfig } from "../../lib/config/redact_config.ts";
import { configTemplate } from "../../lib/config/initial_config.ts";
import { writeUserFile } from "../../lib/files/replace_file.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const YAML = `# Mine.
# Two lines.

default:   'gpt-4'   # the best

models:
  - id: gpt-4   # aligned

    api_key:    \${KEY}

  # at home
  - {id: local,   headers: {a: b}}   # flow


batch:
  concurrency:    20   # fast
  # the end
# the tail
`;

Deno.test("setting the default changes nothing else", () => {
  assert.equal(setDefault("c.yaml", YAML, "local"), YAML.replace("'gpt-4'", "'local'"));
  const without = YAML.replace(/default.*\n\n/, "");
  const added = setDefault("c.yaml", without, "true");
  assert.equal(added, without.replace("models:", 'default: "true"\n\nmodels:'));
  const windows = setDefault("c.yaml", `\uFEFF${YAML.replaceAll("\n", "\r\n")}`, "local");
  assert.equal(windows, `\uFEFF${YAML.replace("'gpt-4'", "'local'").replaceAll("\n", "\r\n")}`);
});

Deno.test("a new model is appended, and the rest is unchanged", () => {
  const model = { id: "new", base_url: "http://h/v1" };
  const added = addModel("c.yaml", YAML, model);
  const lines = "\n\n  - id: new\n    base_url: http://h/v1";
  assert.equal(added, YAML.replace("   # flow", `   # flow${lines}`));
  const tight = "models:\n- id: a\n- id: b\n";
  assert.equal(addModel("c.yaml", tight, model), `${tight}- id: new\n  base_url: http://h/v1\n`);
  assert.equal(addModel("c.yaml", "models:\n- id: a", { id: "b" }), "models:\n- id: a\n- id: b");
});

Deno.test("files in other styles can also be edited", () => {
  const cases: [string, string][] = [
    ["c.yaml", ""],
    ["c.yaml", "# nothing but a comment\n"],
    ["c.yaml", "models: []\n"],
    ["c.yaml", "models:\n"],
    ["c.yaml", "default: null\n"],
    ["c.yaml", "{default: a, models: [{id: a}]}\n"],
    ["c.yaml", "models: [{id: a}]\n"],
    ["c.yaml", "default: >-\n  a\nmodels:\n  - id: a\n"],
    ["c.yaml", "---\nmodels:\n  - id: a\n...\n"],
    ["c.json", ""],
    ["c.json", "{}"],
    ["c.jsonc", '{\n\t// tabs\n\t"models": [{"id": "a"},], // more\n}\n'],
    ["c.jsonc", '{"default": "a", "models": []}'],
  ];
  for (const [file, text] of cases) {
    const before = parseConfig(file, text).value as { models?: unknown[] } | null;
    const edited = addModel(file, setDefault(file, text, "new: #1"), { id: "new: #1" });
    assert.deepEqual(
      JSON.parse(JSON.stringify(parseConfig(file, edited).value)),
      {
        ...before,
        default: "new: #1",
        models: [...structuredClone(before?.models) ?? [], { id: "new: #1" }],
      },
      `${file} ${text}`,
    );
    for (const comment of text.match(/(#|\/\/).*/g) ?? []) assert.ok(edited.includes(comment));
  }
});

Deno.test("a value that is aliased elsewhere is not changed", () => {
  const text = "default: &d a\nmodels:\n  - id: *d\n";
  assert.throws(
    () => setDefault("c.yaml", text, "b"),
    /cannot edit the configuration file automatically/,
  );
});

Deno.test("any name survives a round trip", () => {
  const name = fc.string({ minLength: 1, unit: "grapheme" });
  fc.assert(fc.property(name, (name) => {
    for (const text of ["", YAML, YAML.replaceAll("'", '"')]) {
      assert.equal(parse(setDefault("c.yaml", text, name)).default, name);
      assert.equal(parse(addModel("c.yaml", text, { id: name })).models.at(-1).id, name);
    }
    assert.equal(JSON.parse(setDefault("c.json", "{}", name)).default, name);
  }));
});

Deno.test("the template is valid for any model name", () => {
  for (const id of ["qwen3:8b", "yes", "a # b", "deepseek/deepseek-v3.2"]) {
    const text = configTemplate({ id, name: id, base_url: "http://h/v1", api_key: "${K}" });
    const { value, problems, warnings } = inspectConfig("c.yaml", text);
    assert.deepEqual([problems, warnings, value.default, value.models?.[0].id], [[], [], id, id]);
  }
  // Its commented-out settings are valid, too.
  const full = configTemplate().replaceAll(
    /^( *)# (?=(?:- | +|endpoints:|templates:|\w+: \w+$))/gm,
    "$1",
  );
  assert.match(
    full,
    /^ {2}- id: qwen3:8b\n {4}name: local[^]*^ {2}max_qps: 5$[^]*^ {2}endpoints:$/m,
  );
  assert.deepEqual(inspectConfig("c.yaml", full).problems, []);
});

Deno.test("a file is replaced atomically, private to its owner, also through symlinks", () => {
  using folder = temporaryFolder();
  const path = folder.file("deep/er/c.yaml");
  writeUserFile(path, "one", false);
  assert.equal((statSync(path).mode & 0o777).toString(8), "600");
  assert.equal((statSync(folder.file("deep")).mode & 0o777).toString(8), "700");

  const shared = folder.write("shared.yaml", "old");
  chmodSync(shared, 0o644);
  symlinkSync(shared, folder.file("link.yaml"));
  writeUserFile(folder.file("link.yaml"), "new", false);
  assert.deepEqual([folder.read("shared.yaml"), folder.read("link.yaml")], ["new", "new"]);
  assert.ok(lstatSync(folder.file("link.yaml")).isSymbolicLink());
  assert.equal((statSync(shared).mode & 0o777).toString(8), "644");
  writeUserFile(folder.file("link.yaml"), "secret", true);
  assert.equal((statSync(shared).mode & 0o777).toString(8), "600");

  mkdirSync(folder.file("folder.yaml"));
  assert.throws(() => writeUserFile(folder.file("folder.yaml"), "x", false), /cannot write/);
  assert.ok(!readdirSync(folder.path).some((name) => name.endsWith(".tmp")));
  assert.ok(!existsSync(`${path}.tmp`));
});

Deno.test("all problems in a file are found, with position and hint", () => {
  const text = `default: gpt-5
models:
  - id: a
    base_url: localhost:8000
  - id: a
    api_key: \${NOT_SET}
`;
  const inspection = inspectConfig("c.yaml", text);
  assert.deepEqual(inspection.problems.map(({ message }) => message), [
    'c.yaml:1:10: default: no model "gpt-5" in models',
    'c.yaml:5:5: two models are named "a"',
  ]);
  const servers = inspectServers(inspection, {});
  assert.match(servers.problems[0].message, /^c\.yaml:4:15: base URL "localhost:8000" does not/);
  assert.deepEqual(servers.warnings, ["c.yaml:6:14: the environment variable NOT_SET is not set"]);
  assert.throws(
    () => inspectConfig("c.yaml", "a: [1\nb: {\n"),
    (error: Error) => error.message.split("\n").length > 1 && /c\.yaml:\d+:\d+/.test(error.message),
  );
});

Deno.test("the source of a key is shown without the key", () => {
  const key = "sk-0123456789abcdef";
  const openai = "https://api.openai.com/v1";
  const of = (api_key: string | undefined, base_url: string, env = {}) =>
    keyState({ api_key, base_url }, env);
  assert.deepEqual(of(key, openai), { state: "set", masked: "…cdef" });
  assert.deepEqual(of("${K}", openai, { K: key }), {
    state: "set",
    variable: "K",
    masked: "…cdef",
  });
  assert.deepEqual(of("${K}", openai), { state: "missing", variable: "K" });
  assert.deepEqual(of(undefined, openai), { state: "missing", variable: "OPENAI_API_KEY" });
  assert.deepEqual(of("your-api-key", openai), { state: "placeholder" });
  assert.deepEqual(of("EMPTY", "http://h:1/v1"), { state: "none" });
  assert.deepEqual(of(undefined, "not a URL"), { state: "none" });
});

Deno.test("a redacted configuration contains no secret in any field", () => {
  const secret = "verysecret0123456789";
  const server = {
    base_url: `https://user:${secret}@host/v1?key=${secret}`,
    api_key: secret,
    headers: { authorization: `Bearer ${secret}`, "x-key": secret, "X-Title": "My app" },
  };
  const shown = redactConfig({ models: [{ id: "a", ...server }], batch: { endpoints: [server] } });
  assert.ok(!JSON.stringify(shown).includes(secret));
  assert.equal(shown.models![0].headers!["X-Title"], "My app");
  assert.equal(shown.models![0].base_url, "https://host/v1");
  const redacted = redactConfig({ models: [{ id: "a", api_key: "${KEY}" }] });
  assert.equal(redacted.models![0].api_key, "${KEY}");
});
