/** Saved templates and roles: `flexllm template`, and `--as` in ask, chat and batch. */
import assert from "node:assert/strict";
import { chmodSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import type { Message } from "../../lib/chat/messages.ts";
import { flexllm, type RunOptions } from "../support/cli.ts";
import { KEYS, Pty } from "../support/pty.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";
import { watchedMock } from "../support/watched_mock.ts";

const CONFIG = "flexllm_config.yaml";

/** Runs a command that must succeed. */
async function succeed(args: string[], options: RunOptions): Promise<string> {
  const { code, stdout, stderr } = await flexllm(args, options);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** A folder with a configuration for the mock, and templates. */
function prepare(baseUrl: string, templates = ""): TemporaryFolder {
  const folder = temporaryFolder();
  folder.write(
    CONFIG,
    `models:
  - {id: m, base_url: "${baseUrl}", options: {top_p: 0.5, temperature: 1}}
  - {id: other, base_url: "${baseUrl}"}
${templates}`,
  );
  return folder;
}

const TEMPLATES = `templates:
  translate: {prompt: "To {{lang=French}}: {{input}}", system: "You translate."}
  reviewer: {system: "You review {{what=code}}.", model: other, options: {temperature: 0.2, seed: 7}}
  people: {prompt: "Who?", schema: "[name, role]", extra_body: {min_p: 0.1}}
`;

Deno.test("a template is saved, listed, shown and removed", async () => {
  using home = temporaryFolder();
  const env = { HOME: home.path };
  const saving = ["template", "save", "sum", "--prompt", "Sum up for {{who}}: {{input}}"];
  const { stdout, stderr } = await flexllm(saving, { env });
  const file = home.file(".flexllm/config.yaml");
  assert.equal(stdout, `Saved the template sum in ${file}.\n`);
  assert.equal(stderr, 'Use it: flexllm ask --as sum --var who=… "…"\n');
  assert.equal(readFileSync(file, "utf8"), 'templates:\n  sum: "Sum up for {{who}}: {{input}}"\n');

  const again = await flexllm(saving, { env });
  assert.equal(again.code, 1);
  assert.match(again.stderr, /"sum" already exists\nReplace it with --force, or choose/);
  const all = ["-s", "S", "-m", "mock", "-t", "0.1", "--stop", "x", "--extra-body", "a.b=1"];
  const rest = ["--schema", '{"type":"object"}', "--description", "D", "--force"];
  assert.match(await succeed([...saving, ...all, ...rest], { env }), /^Replaced the template sum/);
  const fields = {
    description: "D",
    prompt: "Sum up for {{who}}: {{input}}",
    system: "S",
    model: "mock",
    options: { temperature: 0.1, stop: ["x"] },
    extra_body: { a: { b: 1 } },
    schema: { type: "object" },
  };
  assert.deepEqual(parse(readFileSync(file, "utf8")), { templates: { sum: fields } });
  const shown = JSON.parse(await succeed(["template", "show", "sum", "--json"], { env }));
  assert.deepEqual(shown, { name: "sum", ...fields, placeholders: { who: null, input: null } });
  assert.deepEqual(parse(await succeed(["template", "show", "sum"], { env })), fields);

  await succeed(["template", "save", "role", "-s", "S"], { env });
  await succeed(["template", "save", "piped", "--prompt", "-"], { env, stdin: "A\nB\n" });
  const listed = await succeed(["template"], { env });
  assert.match(
    listed,
    /^name +kind +model +text\nsum +prompt +mock +D\nrole +role +S\npiped +prompt +A\n$/,
  );
  const json = JSON.parse(await succeed(["template", "list", "--json"], { env }));
  assert.deepEqual(json.map(({ name }: { name: string }) => name), ["sum", "role", "piped"]);

  await succeed(["template", "remove", "sum"], { env });
  const missing = await flexllm(["template", "remove", "rle"], { env });
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /no template named "rle"\nDid you mean role\?/);
  assert.deepEqual(Object.keys(parse(readFileSync(file, "utf8")).templates), ["role", "piped"]);
});

Deno.test("mistakes in a saved template are refused, and nothing is written", async () => {
  using home = temporaryFolder();
  const env = { HOME: home.path };
  const cases: [string[], RegExp][] = [
    [["a b", "-s", "x"], /not a name for a template: "a b"/],
    [["a"], /the template would be empty\nGive it a prompt/],
    [["a", "--prompt", "-"], /--prompt -: stdin is empty/],
    [["a", "--schema", "x itn"], /the schema, character 3: unknown type "itn"/],
    [["a", "--schema", "none.json"], /cannot read the schema none\.json: it does not exist/],
    [["a", "-t", "5"], /Expected a number from 0 to 2/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await flexllm(["template", "save", ...args], { env });
    assert.equal(code, 1, args.join(" "));
    assert.match(stderr, message);
  }
  const { stdout, stderr } = await flexllm(["template"], { env });
  assert.deepEqual([stdout, stderr.slice(0, 31)], ["", "No templates. Save one: flexllm"]);
});

Deno.test("an edited template is checked before it replaces the old one", async () => {
  using folder = prepare("http://127.0.0.1:1/v1", `# mine\n${TEMPLATES}`);
  const before = readFileSync(folder.file(CONFIG), "utf8");
  const editor = (script: string) => {
    chmodSync(folder.write("editor.sh", `#!/bin/sh\n${script}\n`), 0o755);
    const options = {
      cwd: folder.path,
      env: { EDITOR: folder.file("editor.sh"), PATH: "/usr/bin:/bin" },
    };
    return flexllm(["template", "edit", "translate"], options);
  };
  const unchanged = await editor("grep -q 'prompt:' \"$1\"");
  assert.deepEqual([unchanged.code, unchanged.stderr], [0, "Nothing was changed.\n"]);
  const broken = await editor('echo "promt: x" >> "$1"');
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /unknown field "promt": did you mean "prompt"/);
  const [, kept] = /the template was not changed; your text is in (.+)/.exec(broken.stderr)!;
  assert.match(readFileSync(kept, "utf8"), /promt: x/);
  const malformed = await editor('printf "prompt: [" > "$1"');
  assert.match(malformed.stderr, /line 1, column \d+: not valid YAML/);
  assert.equal(readFileSync(folder.file(CONFIG), "utf8"), before);
  const { code, stdout } = await editor('printf "# new\\nprompt: Say {{input}}\\n" > "$1"');
  assert.deepEqual([code, stdout], [
    0,
    `Saved the template translate in ${folder.file(CONFIG)}.\n`,
  ]);
  const after = readFileSync(folder.file(CONFIG), "utf8");
  assert.match(after, /# mine\ntemplates:\n {2}translate:\n {4}# new\n {4}prompt: Say/);
});

Deno.test("ask --as sends the prompt, system prompt, model and options of the template", async () => {
  await using mock = await watchedMock({ length: 30 });
  using folder = prepare(mock.baseUrl, TEMPLATES);
  const options = { cwd: folder.path };
  const ask = (...args: string[]) => succeed(["ask", ...args, "--no-save"], options);
  await ask("Hi", "--as", "translate");
  await ask("Hi", "--as", "translate", "--var", "lang=Dutch", "-s", "Own.", "-m", "other");
  await ask("Hi", "--as", "reviewer");
  await ask("Hi", "--as", "reviewer", "-m", "m", "-t", "0.9", "--var", "what=prose");
  const [first, overridden, role, roleOverridden] = mock.requests;
  assert.deepEqual(first.messages, [
    { role: "system", content: "You translate." },
    { role: "user", content: "To French: Hi" },
  ]);
  assert.deepEqual([first.model, first.temperature, first.top_p], ["m", 1, 0.5]);
  assert.deepEqual(overridden.messages, [
    { role: "system", content: "Own." },
    { role: "user", content: "To Dutch: Hi" },
  ]);
  assert.equal(overridden.model, "other");
  assert.equal(role.messages[0].content, "You review code.");
  assert.deepEqual([role.model, role.temperature, role.seed], ["other", 0.2, 7]);
  assert.equal(roleOverridden.messages[0].content, "You review prose.");
  const { model, temperature, seed, top_p } = roleOverridden;
  assert.deepEqual([model, temperature, seed, top_p], ["m", 0.9, 7, 0.5]);

  const printed = await ask("Ada is a judge.", "--as", "people");
  assert.ok(Array.isArray(JSON.parse(printed).items));
  const { response_format, messages, min_p } = mock.requests[4];
  assert.deepEqual([response_format.json_schema.strict, min_p], [true, 0.1]);
  assert.equal(messages[0].content, "Who?\n\nAda is a judge.");
});

Deno.test("ask --template is a deprecated alias of --as", async () => {
  await using mock = await watchedMock({ length: 30 });
  using folder = prepare(mock.baseUrl, TEMPLATES);
  const args = ["ask", "--template", "translate", "Hi"];
  const { code, stderr } = await flexllm(args, { cwd: folder.path });
  assert.deepEqual(
    [code, stderr],
    [0, "warning: --template is deprecated here; use --as translate\n"],
  );
  assert.equal(mock.requests[0].messages[1].content, "To French: Hi");
  const both = await flexllm([...args, "--as", "reviewer"], { cwd: folder.path });
  assert.equal(both.code, 1);
});

Deno.test("mistakes with --as are reported before anything is sent", async () => {
  await using mock = await watchedMock({ length: 30 });
  using folder = prepare(
    mock.baseUrl,
    `${TEMPLATES}  two: "{{a}} and {{b}}"\n  file: {prompt: x, schema: none.json}\n`,
  );
  folder.write("in.jsonl", '{"body":"x"}\n');
  const batch = ["batch", "in.jsonl", "-o", "out.jsonl", "--as"];
  const cases: [string[], RegExp][] = [
    [["ask", "Hi", "--as", "tranlate"], /no template named "tranlate"\nDid you mean translate\?/],
    [
      ["ask", "Hi", "--as", "two"],
      /needs values for \{\{a\}\} and \{\{b\}\}\nAdd --var a=… --var b=…/,
    ],
    [["ask", "Hi", "--as", "two", "--var", "x"], /--var: expected name=value, got "x"/],
    [["ask", "Hi", "--as", "two", "--var", "c=1"], /no placeholder \{\{c\}\}/],
    [["ask", "Hi", "--var", "c=1"], /--var requires --as/],
    [["ask", "Hi", "--as", "file"], /cannot read the schema .*none\.json: it does not exist/],
    [["chat", "Hi", "--as", "two"], /needs values for \{\{a\}\} and \{\{b\}\}/],
    [["chat", "Hi", "--as", "x"], /no template named "x"/],
    [[...batch, "x"], /no template named "x"/],
    [[...batch, "two"], /in\.jsonl:1: the template uses \{\{a\}\}/],
    [[...batch, "translate"], /in\.jsonl:1: expected a field "messages"/],
    [[...batch, "two", "--template", "{{body}}"], /"two" has a prompt, and so does --template/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await flexllm(args, { cwd: folder.path });
    assert.equal(code, 1, args.join(" "));
    assert.match(stderr, message);
  }
  assert.equal(mock.requests.length, 0);
});

Deno.test("chat --as frames every message with {{input}}, and sends any other prompt first", async () => {
  await using mock = await watchedMock({ length: 30 });
  using folder = prepare(mock.baseUrl, `${TEMPLATES}  joke: "A joke about {{topic}}."\n`);
  const options = { cwd: folder.path, env: { HOME: folder.path } };
  await succeed(["chat", "--as", "translate"], { ...options, stdin: "One\nTwo\n" });
  const [, second] = mock.requests;
  assert.deepEqual(
    (second.messages as Message[]).map(({ role, content }) =>
      role === "assistant" ? role : content
    ),
    ["You translate.", "To French: One", "assistant", "To French: Two"],
  );
  await succeed(["chat", "--as", "joke", "--var", "topic=cats"], { ...options, stdin: "More\n" });
  const { messages } = mock.requests.at(-1)!;
  assert.deepEqual([messages[0].content, messages[2].content], ["A joke about cats.", "More"]);
  await succeed(["chat", "Ada.", "--as", "people"], options);
  assert.equal(mock.requests.at(-1)!.response_format.type, "json_schema");
});

Deno.test("a resumed conversation keeps the settings of its template", async () => {
  await using mock = await watchedMock({ length: 30 });
  using folder = prepare(mock.baseUrl, TEMPLATES);
  const options = { cwd: folder.path, env: { HOME: folder.path } };
  await succeed(["ask", "One", "--as", "reviewer"], options);
  // Neither a change of the template nor its removal changes the conversation.
  await succeed(["template", "remove", "reviewer"], options);
  await succeed(["ask", "Two", "--continue"], options);
  await succeed(["chat", "Three", "--continue", "-t", "0.5"], options);
  const [, second, third] = mock.requests;
  assert.equal(second.messages[0].content, "You review code.");
  assert.deepEqual([second.model, second.temperature, second.seed], ["other", 0.2, 7]);
  assert.deepEqual([third.model, third.temperature, third.seed], ["other", 0.5, 7]);
  // A template that is named again applies to a resumed conversation.
  await succeed(["ask", "Four", "--continue", "--as", "translate"], options);
  const { messages } = mock.requests[3];
  assert.deepEqual([messages[0].content, messages.at(-1)!.content], [
    "You translate.",
    "To French: Four",
  ]);
});

Deno.test("batch --as fills the template from each record, whose own settings win", async () => {
  await using mock = await watchedMock({ length: 30 });
  using folder = prepare(
    mock.baseUrl,
    `batch: {temperature: 0.7, seed: 1, top_p: 0.9}\n${TEMPLATES}` +
      '  mood: {prompt: "Mood of {{text}}?", system: "S", options: {temperature: 0.2}, schema: "mood"}\n',
  );
  folder.write("in.csv", "text,temperature\nLovely,\nBad,0.4\n");
  const cwd = folder.path;
  await succeed(["batch", "in.csv", "-o", "out.jsonl", "--as", "mood", "-c", "1", "--seed", "2"], {
    cwd,
  });
  const sent = mock.requests.map(({ messages, temperature, seed, top_p }) => [
    ...(messages as Message[]).map(({ content }) => content),
    ...[temperature, seed, top_p],
  ]);
  assert.deepEqual(sent, [
    ["S", "Mood of Lovely?", 0.2, 2, 0.9],
    ["S", "Mood of Bad?", 0.4, 2, 0.9],
  ]);
  const lines = readFileSync(folder.file("out.jsonl"), "utf8").trim().split("\n").map((line) =>
    JSON.parse(line)
  );
  assert.deepEqual(lines.map(({ metadata }) => metadata), [{ text: "Lovely" }, { text: "Bad" }]);
  assert.ok(lines.every(({ parsed }) => typeof parsed.mood === "string"));
  // The same command has nothing left to send.
  const again = ["batch", "in.csv", "-o", "out.jsonl", "--as", "mood", "--json"];
  assert.equal(JSON.parse(await succeed(again, { cwd })).restored, 2);

  folder.write("prompts.jsonl", '{"q":"Hi","lang":"Dutch"}\n{"q":"Yo"}\n');
  await succeed(["batch", "prompts.jsonl", "-o", "b.jsonl", "--as", "translate", "-c", "1"], {
    cwd,
  });
  const prompts = mock.requests.slice(2).map(({ messages }) => messages[1].content);
  assert.deepEqual(prompts, ["To Dutch: Hi", "To French: Yo"]);
});

Deno.test("names of templates are completed", async () => {
  using folder = prepare("http://127.0.0.1:1/v1", TEMPLATES);
  const complete = (...words: string[]) =>
    succeed(["complete", "--", ...words], { cwd: folder.path });
  const all = "translate\tTo {{lang=French}}: {{input}}\nreviewer\trole\npeople\tWho?\n:4\n";
  for (const command of ["ask", "chat", "batch"]) {
    assert.equal(await complete(command, "--as", ""), all);
  }
  assert.equal(await complete("template", "edit", "r"), "reviewer\trole\n:4\n");
  assert.equal(await complete("ask", "--schema", ""), ":0\n");
});

Deno.test("saving over a template on a terminal asks first", async () => {
  using folder = prepare("http://127.0.0.1:1/v1", TEMPLATES);
  const before = readFileSync(folder.file(CONFIG), "utf8");
  const saving = ["template", "save", "people", "--prompt", "New"];
  {
    await using pty = new Pty(saving, { home: folder.path });
    await pty.shows(/Replace the template people\?/);
    pty.type(KEYS.enter);
    await pty.shows(/cancelled; nothing was changed/);
    assert.equal(await pty.exitCode(), 130);
    assert.equal(readFileSync(folder.file(CONFIG), "utf8"), before);
  }
  await using pty = new Pty(saving, { home: folder.path });
  await pty.shows(/Replace the template people\?/);
  pty.type("y");
  await pty.shows(/Replaced the template people/);
  assert.equal(await pty.exitCode(), 0);
  assert.equal(parse(readFileSync(folder.file(CONFIG), "utf8")).templates.people, "New");
});
