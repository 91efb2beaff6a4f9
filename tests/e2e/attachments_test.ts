/** Attachments of `flexllm ask`, and batches in which each file is a record. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdirSync, writeFileSync } from "node:fs";
import { serve } from "../../lib/runtime/http_server.ts";
import { commandLine, flexllm } from "../support/cli.ts";
import { jsonLines, temporaryFolder } from "../support/temporary_folder.ts";
import { watchedMock } from "../support/watched_mock.ts";

/** The bytes of a small PNG file, distinguished by `id`. */
function png(id: string): Buffer {
  return Buffer.from(`\x89PNG\r\n\x1a\n${id}`, "latin1");
}

function dataUrl(id: string): string {
  return `data:image/png;base64,${png(id).toString("base64")}`;
}

/** The contents of the last messages of all requests. */
// deno-lint-ignore no-explicit-any
function contents(requests: any[]) {
  return requests.map(({ messages }) => messages.at(-1).content);
}

Deno.test("ask -f attaches patterns, pages and standard input, in the order of the flags", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock({ length: 30 });
  await using site = {
    server: await serve("127.0.0.1", 0, () => {
      const headers = { "content-type": "text/html" };
      return Promise.resolve(new Response("<html><p>Hello <b>there</b></p></html>", { headers }));
    }),
    [Symbol.asyncDispose]() {
      return this.server.close();
    },
  };
  const url = `http://127.0.0.1:${site.server.port}/page`;
  for (const name of ["b.py", "a.py"]) folder.write(name, name);
  writeFileSync(folder.file("in.png"), png("stdin"));
  const flags = `-m m --base-url ${mock.baseUrl} --allow-private-urls --no-save`;
  const command = commandLine().map((word) => `'${word}'`).join(" ");
  const args = `ask Compare. -f ${url} -f - -f '*.py' ${flags}`;
  // A script: Deno rewrites the quotes of a command that runs Deno.
  const script = folder.write("run.sh", `${command} ${args} < in.png\n`);
  const { code, stderr } = await flexllm([], { cwd: folder.path, shell: [script] });
  assert.equal(code, 0, stderr);
  assert.deepEqual(contents(mock.requests), [[
    { type: "text", text: `<file name="${url}">\nHello there\n</file>` },
    { type: "image_url", image_url: { url: dataUrl("stdin") } },
    { type: "text", text: '<file name="a.py">\na.py\n</file>' },
    { type: "text", text: '<file name="b.py">\nb.py\n</file>' },
    { type: "text", text: "Compare." },
  ]]);
});

Deno.test("ask refuses attachments that are missing, binary input and a second -f -", async () => {
  using folder = temporaryFolder();
  mkdirSync(folder.file("src"));
  folder.write("src/a.ts", "x");
  folder.write("a.heic", "\0\0\0\x18ftypheic");
  const cases: [args: string[], stdin: string, code: number, message: RegExp][] = [
    [["-f", "*.png"], "", 1, /^error: no file matches \*\.png\n/],
    [["-f", "src"], "", 1, /it is a folder, not a file\n.*its file with the pattern 'src\/\*'/],
    [["-f", "a.heic"], "", 1, /a HEIC photo, which models don't accept\n.*magick a\.heic a\.jpg/],
    [["-f", "-"], "", 1, /standard input is empty/],
    [["-f", "-", "-f", "-"], "x", 1, /-f - can be given only once/],
    // What a shell makes of -f *.ts.
    [
      ["-f", "src/a.ts", "src/a.ts"],
      "",
      1,
      /^error: src\/a\.ts is part of the prompt.*\n.*-f '\*\.ts'/,
    ],
    [[], "\0\x01\x02", 1, /standard input is binary, not text\n.*-f -/],
  ];
  for (const [args, stdin, code, message] of cases) {
    const options = { cwd: folder.path, stdin };
    const refused = await flexllm(["ask", "Hi", "-m", "mock", ...args], options);
    assert.match(refused.stderr, message);
    assert.equal(refused.code, code, refused.stderr);
  }
});

Deno.test("batch sends each file of a pattern, resumes, and notices changed files", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock({ length: 30 });
  mkdirSync(folder.file("photos"));
  const write = (name: string, id = name) => writeFileSync(folder.file(`photos/${name}`), png(id));
  write("b.png");
  write("a.png");
  const run = (...flags: string[]) =>
    flexllm([
      ...["batch", "photos/*.png", "-o", "photos/out.jsonl", "--template", "Describe {{name}}."],
      ...["-m", "m", "--base-url", mock.baseUrl, "-c", "1", ...flags],
    ], { cwd: folder.path });
  const sent = () =>
    contents(mock.requests).map(([image, { text }]) => [image.image_url.url, text]);
  const first = await run();
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual(sent(), [
    [dataUrl("a.png"), "Describe a.png."],
    [dataUrl("b.png"), "Describe b.png."],
  ]);
  const lines = jsonLines(folder.read("photos/out.jsonl"));
  assert.deepEqual(lines.map(({ index, metadata }) => [index, metadata.file]), [
    [0, "photos/a.png"],
    [1, "photos/b.png"],
  ]);
  // The result file names the photos; it does not contain them.
  assert.equal(lines[0].input[0].content[0].image_url.url, "photos/a.png");

  write("c.png");
  assert.match((await run()).stderr, /1 succeeded, 0 failed, 2 already done/);
  assert.deepEqual(sent().slice(2), [[dataUrl("c.png"), "Describe c.png."]]);

  write("b.png", "edited");
  const changed = await run();
  assert.equal(changed.code, 1, changed.stderr);
  assert.match(changed.stderr, /record 1 differs \(photos\/b\.png\)\n.*\n.*--rerun-changed/);
  assert.equal(mock.requests.length, 3);
  assert.equal((await run("--rerun-changed")).code, 0);
  assert.deepEqual(sent().slice(3), [[dataUrl("edited"), "Describe b.png."]]);
});

Deno.test("batch reports files that cannot be sent before anything is sent, or skips them", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock({ length: 30 });
  mkdirSync(folder.file("in"));
  folder.write("in/a.md", "# Notes");
  folder.write("in/b.heic", "\0\0\0\x18ftypheic");
  folder.write("in/c.md", "");
  const args = ["batch", "in", "-o", "out.jsonl", "-m", "m", "--base-url", mock.baseUrl];
  const run = (...flags: string[]) => flexllm([...args, ...flags], { cwd: folder.path });
  const noPrompt = await run();
  assert.equal(noPrompt.code, 1);
  assert.match(noPrompt.stderr, /no prompt for the files of in\n.*--template "Describe this\."/);
  const prompt = ["-s", "Sum up."];
  const refused = await run(...prompt);
  assert.equal(refused.code, 1, refused.stderr);
  assert.match(
    refused.stderr,
    /^error: in\/b\.heic is a HEIC photo.*\nin\/c\.md is empty\nNothing was sent\. Fix or remove/,
  );
  assert.equal(mock.requests.length, 0);
  const { code, stderr } = await run(...prompt, "--skip-invalid");
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^warning: skipped 2 unusable files\n/);
  assert.deepEqual(mock.requests[0].messages, [
    { role: "system", content: "Sum up." },
    { role: "user", content: '<file name="a.md">\n# Notes\n</file>' },
  ]);
  const estimate = await run(...prompt, "--skip-invalid", "--estimate");
  assert.match(estimate.stdout, /There are no records to send/);
});

Deno.test("shards, limits and failed records of a folder are the same on every machine", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock({ length: 30 });
  mkdirSync(folder.file("in"));
  for (let i = 0; i < 10; i++) folder.write(`in/${i}.md`, `text ${i}`);
  const args = ["batch", "in/*.md", "--template", "{{text}}", "-m", "m", "-c", "1"];
  for (const [name, flags] of [["a", ["--shard", "1/3"]], ["b", ["--limit", "2"]]] as const) {
    const output = ["-o", `${name}.jsonl`, "--base-url", mock.baseUrl];
    const { code, stderr } = await flexllm([...args, ...output, ...flags], { cwd: folder.path });
    assert.equal(code, 0, stderr);
  }
  const expected = ["text 1", "text 4", "text 7", "text 0", "text 1"];
  assert.deepEqual(contents(mock.requests), expected);
});
