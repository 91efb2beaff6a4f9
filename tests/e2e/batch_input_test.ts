/** Input formats, record options and record selection of `flexllm batch`. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { appendFileSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { createMockApp, type ImagePart } from "../../mod.ts";
import { serve } from "../../lib/runtime/http_server.ts";
import { flexllm, start } from "../support/cli.ts";
import { jsonLines, type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";
import { watchedMock } from "../support/watched_mock.ts";

function questions(count: number): string {
  return Array.from({ length: count }, (_, i) => `{"q":"Question ${i}"}\n`).join("");
}

/** Index and status of each line of a result file. */
function statuses(folder: TemporaryFolder, name = "out.jsonl"): string {
  return jsonLines(folder.read(name)).map(({ index, status }) => `${index} ${status}`).join(", ");
}

/** A mock that passes each request's last message to `refuse`, and rejects the request if it returns true. */
async function pickyMock(refuse: (content: string | ImagePart[]) => boolean) {
  const app = createMockApp();
  const server = await serve("127.0.0.1", 0, async (request) => {
    const { content } = (await request.clone().json()).messages.at(-1);
    if (!refuse(content)) return await app.fetch(request);
    return new Response('{"error":{"message":"no"}}', { status: 400 });
  });
  return {
    baseUrl: `http://127.0.0.1:${server.port}/v1`,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

Deno.test("a spreadsheet's CSV with a template is sent row by row and resumes", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  folder.write(
    "in.csv",
    '\ufeffid;text;temperature\r\n1;"Good; very good";0.5\r\n2;"Bad,\r\n""really""";\r\n',
  );
  const args = [
    ...["batch", "in.csv", "-o", "out.jsonl", "--base-url", mock.baseUrl, "-m", "m", "-c", "1"],
    ...["--template", "Mood of: {{text}}", "-s", "Review {{id}}.", "-t", "1"],
  ];
  const { code, stderr } = await flexllm(args, { cwd: folder.path });
  assert.equal(code, 0, stderr);
  assert.deepEqual(
    mock.requests.map(({ messages, temperature }) => [
      temperature,
      ...messages.map(({ content }: { content: string }) => content),
    ]),
    [
      [0.5, "Review 1.", "Mood of: Good; very good"],
      [1, "Review 2.", 'Mood of: Bad,\r\n"really"'],
    ],
  );
  const [first, second] = jsonLines(folder.read("out.jsonl"));
  assert.deepEqual([first.metadata, first.options], [
    { id: "1", text: "Good; very good" },
    { temperature: 0.5 },
  ]);
  assert.deepEqual([second.metadata.id, second.options], ["2", undefined]);
  const again = await flexllm(args, { cwd: folder.path });
  assert.match(again.stderr, /All 2 records are already done/);
});

Deno.test("a table can be piped in, and bad rows are reported with their line numbers", async () => {
  using folder = temporaryFolder();
  const args = ["batch", "-o", folder.file("out.jsonl"), "-m", "mock", "--input-format", "tsv"];
  const stdin = "q\tid\nWhy?\t1\nHow?\nWhat?\t3\n";
  const stopped = await flexllm(args, { stdin });
  assert.equal(stopped.code, 1);
  assert.match(
    stopped.stderr,
    /standard input:3: expected 2 cells, as in the first line, got 1\nNothing was sent/,
  );
  const { code, stderr } = await flexllm([...args, "--skip-invalid"], { stdin });
  assert.equal(code, 0, stderr);
  assert.equal(statuses(folder), "0 success, 2 success");
});

Deno.test("an OpenAI Batch file runs unchanged, each record with its own model", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const line = (id: number, body: object) => ({
    custom_id: `request-${id}`,
    method: "POST",
    url: "/v1/chat/completions",
    body: { messages: [{ role: "user", content: "Hi" }], ...body },
  });
  const lines = [
    line(1, { model: "gpt-4o-mini", max_tokens: 5, user: "u" }),
    line(2, { response_format: { type: "json_object" } }),
  ];
  const input = folder.write("in.jsonl", lines.map((each) => JSON.stringify(each)).join("\n"));
  const args = ["batch", input, "--base-url", mock.baseUrl, "-m", "m", "-c", "1"];
  const { code, stderr } = await flexllm([...args, "-o", folder.file("out.jsonl")]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(mock.requests.map(({ messages: _, ...rest }) => rest), [
    { model: "gpt-4o-mini", max_tokens: 5, user: "u" },
    { model: "m", response_format: { type: "json_object" } },
  ]);
  const [{ metadata, options }] = jsonLines(folder.read("out.jsonl"));
  assert.deepEqual(metadata, { custom_id: "request-1" });
  assert.deepEqual(options, { model: "gpt-4o-mini", max_tokens: 5, extra_body: { user: "u" } });
  const held = ["-o", folder.file("held.jsonl"), "--as-metadata", "model"];
  assert.equal((await flexllm([...args, ...held])).code, 0);
  assert.deepEqual(mock.requests.slice(2).map(({ model }) => model), ["m", "m"]);
});

Deno.test("a changed option makes a record a changed record", async () => {
  using folder = temporaryFolder();
  const input = folder.write("in.jsonl", '{"q":"a"}\n{"q":"b","seed":1}\n');
  const args = ["batch", input, "-o", folder.file("out.jsonl"), "-m", "mock"];
  assert.equal((await flexllm(args)).code, 0);
  assert.match((await flexllm(args)).stderr, /All 2 records are already done/);
  writeFileSync(input, '{"q":"a"}\n{"q":"b","seed":2}\n');
  const stopped = await flexllm(args);
  assert.equal(stopped.code, 1);
  assert.match(stopped.stderr, /made from another input: record 1 differs/);
  const redone = await flexllm([...args, "--rerun-changed"]);
  assert.match(redone.stderr, /1 succeeded, 0 failed, 1 already done/);
  assert.deepEqual(jsonLines(folder.read("out.jsonl"))[1].options, { seed: 2 });
});

Deno.test("--limit sends the first records, and the next run without it sends the rest", async () => {
  using folder = temporaryFolder();
  const input = folder.write("in.jsonl", `${questions(6)}not looked at\n`);
  const args = ["batch", input, "-o", folder.file("out.jsonl"), "-m", "mock"];
  const first = await flexllm([...args, "--limit", "3"]);
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stderr, /Done: 3 of 3 records/);
  assert.equal(statuses(folder), "0 success, 1 success, 2 success");
  writeFileSync(input, questions(7));
  assert.match((await flexllm([...args, "--limit", "5"])).stderr, /2 succeeded, .* 3 already done/);
  const fewer = await flexllm([...args, "--limit", "2"]);
  assert.match(fewer.stderr, /All 2 records are already done/);
  const all = await flexllm(args);
  assert.match(all.stderr, /Done: 7 of 7 records .*2 succeeded, 0 failed, 5 already done/);
});

Deno.test("shards can be merged into one result file or written to the same one", async () => {
  using folder = temporaryFolder();
  const input = folder.write("in.jsonl", questions(7));
  const args = ["batch", input, "-m", "mock"];
  let all = "";
  for (const shard of ["1/3", "2/3", "3/3"]) {
    const output = folder.file("part.jsonl");
    const { code, stderr } = await flexllm([...args, "-o", output, "--shard", shard]);
    assert.equal(code, 0, stderr);
    const count = shard === "3/3" ? 3 : 2;
    assert.match(stderr, new RegExp(`Done: ${count} of ${count} records`));
    all += folder.read("part.jsonl");
    rmSync(output);
  }
  const joined = folder.write("out.jsonl", all);
  assert.match((await flexllm([...args, "-o", joined])).stderr, /All 7 records are already done/);
  assert.equal(statuses(folder), [0, 1, 2, 3, 4, 5, 6].map((i) => `${i} success`).join(", "));

  const one = folder.file("one.jsonl");
  await flexllm([...args, "-o", one, "--shard", "1/2", "--limit", "2"]);
  assert.equal(statuses(folder, "one.jsonl"), "1 success, 3 success");
  await flexllm([...args, "-o", one, "--shard", "0/2"]);
  assert.equal(
    statuses(folder, "one.jsonl"),
    [0, 1, 2, 3, 4, 6].map((i) => `${i} success`).join(", "),
  );
  assert.match(
    (await flexllm([...args, "-o", one])).stderr,
    /1 succeeded, 0 failed, 6 already done/,
  );

  const none = await flexllm([...args, "-o", folder.file("none.jsonl"), "--shard", "8/9"]);
  assert.equal(none.code, 0);
  assert.match(none.stderr, /There are no records to send; nothing was sent/);
  writeFileSync(input, questions(6));
  const short = await flexllm([...args, "-o", one, "--shard", "0/2"]);
  assert.match(short.stderr, /it has a record 6, the input has only 6/);
});

Deno.test("--only-failed selects failed records, --skip-failed all others", async () => {
  using folder = temporaryFolder();
  const refused = new Set(["Question 1", "Question 3"]);
  const questionsAsked: string[] = [];
  await using mock = await pickyMock((content) => {
    questionsAsked.push(String(content));
    return refused.has(String(content));
  });
  const input = folder.write("in.jsonl", questions(6));
  const args = [
    ...["batch", input, "-o", folder.file("out.jsonl")],
    ...["--base-url", mock.baseUrl, "-m", "m", "-c", "1"],
  ];
  const asked = async (...flags: string[]) => {
    const before = questionsAsked.length;
    const { code, stderr } = await flexllm([...args, ...flags]);
    const numbers = questionsAsked.slice(before).map((text) => Number(text.at(-1)));
    return { code, stderr, asked: numbers };
  };
  const missing = await asked("--only-failed");
  assert.deepEqual([missing.code, missing.asked], [1, []]);
  assert.match(missing.stderr, /--only-failed: the result file .*out\.jsonl does not exist/);

  assert.deepEqual((await asked("--limit", "4")).asked, [0, 1, 2, 3]);
  refused.add("Question 4");
  const rest = await asked("--skip-failed");
  assert.deepEqual([rest.code, rest.asked], [3, [4, 5]]);
  assert.match(rest.stderr, /Done: 4 of 4 records .*1 succeeded, 1 failed, 2 already done/);
  assert.match(rest.stderr, /To retry failed records: flexllm batch .* -c 1\n/);
  assert.match(
    (await asked("--skip-failed")).stderr,
    /3 failed earlier and were skipped, the other 3 are already done; nothing/,
  );

  refused.delete("Question 1");
  const retried = await asked("--only-failed");
  assert.deepEqual([retried.code, retried.asked], [3, [1, 3, 4]]);
  assert.match(retried.stderr, /Done: 3 of 3 records .*1 succeeded, 2 failed/);
  assert.equal(
    statuses(folder),
    "0 success, 1 success, 2 success, 3 error, 4 error, 5 success",
  );
  refused.clear();
  assert.deepEqual((await asked("--only-failed", "--limit", "1")).asked, [3]);
  assert.deepEqual((await asked("--only-failed", "--shard", "1/2")).asked, []);
  assert.deepEqual((await asked()).asked, [4]);
  const done = await asked("--only-failed");
  assert.deepEqual([done.code, done.asked], [0, []]);
  assert.match(done.stderr, /No record has failed; nothing was sent/);
});

Deno.test("an image is read when its record is sent, relative to the current directory", async () => {
  using folder = temporaryFolder();
  const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
  const urls: string[] = [];
  // The second image is created while the first request is in flight.
  await using mock = await pickyMock((content) => {
    if (typeof content !== "string") urls.push(content[0].image_url.url);
    writeFileSync(folder.file("b.png"), png);
    return false;
  });
  writeFileSync(folder.file("a.png"), png);
  const show = (url: string) =>
    JSON.stringify({
      messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }],
    });
  folder.write(
    "in.jsonl",
    ["a.png", "./b.png", "none.png", folder.file("a.png")].map(show).join("\n"),
  );
  const args = [
    ...["batch", "in.jsonl", "-o", "out.jsonl", "-m", "m", "-c", "1"],
    ...["--base-url", mock.baseUrl],
  ];
  const { code, stderr } = await flexllm(args, { cwd: folder.path });
  assert.equal(code, 3, stderr);
  assert.match(stderr, /failed: in\.jsonl:3 \(record 2\): cannot read the image none\.png/);
  assert.equal(statuses(folder), "0 success, 1 success, 2 error, 3 success");
  assert.deepEqual(urls, Array(3).fill(`data:image/png;base64,${png.toString("base64")}`));
});

Deno.test("a result file can be the input with a template, but not its own output", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const input = folder.write("in.jsonl", questions(2));
  const answers = folder.file("answers.jsonl");
  const server = ["--base-url", mock.baseUrl, "-m"];
  await flexllm(["batch", input, "-o", answers, ...server, "writer"]);
  const judge = ["batch", answers, "--template", "So? {{output}}", ...server, "judge", "-o"];
  const { code, stderr } = await flexllm([...judge, folder.file("out.jsonl")]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(mock.requests.map(({ model }) => model), ["writer", "writer", "judge", "judge"]);
  assert.match(mock.requests[2].messages[0].content, /^So\? You asked: "Question \d"/);
  const before = folder.read("answers.jsonl");
  const same = await flexllm([...judge, answers, "--rerun-changed"]);
  assert.equal(same.code, 1);
  assert.match(same.stderr, /input and output are the same file: .*answers\.jsonl\nChoose another/);
  assert.equal(folder.read("answers.jsonl"), before);
});

Deno.test("invalid flags are reported and nothing is sent", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock();
  const jsonl = folder.write("in.jsonl", questions(2));
  const csv = folder.write("in.csv", "id,text\n1,a\n");
  const cases: [args: string[], message: RegExp][] = [
    [[jsonl, "--shard", "3/2"], /'3\/2' is invalid\. Expected i\/n with i from 1 to n/],
    [[jsonl, "--limit", "0"], /Expected an integer ≥ 1/],
    [[jsonl, "--only-failed", "--rerun-changed"], /cannot be used with option '--rerun-changed'/],
    [[jsonl, "--delimiter", ";"], /--delimiter and --no-quotes are for tables only/],
    [[csv, "--delimiter", ";;"], /Expected one character, or "tab"/],
    [[jsonl, "--input-format", "xlsx"], /Allowed choices are jsonl, json, text, csv, tsv/],
    [[jsonl, "--as-metadata", "id,modl"], /the field "id" is not an option\nOptions are /],
    [[jsonl, "--as-metadata", "modl"], /Did you mean "model"\?/],
    [[jsonl, "--template", "{q}"], /the template has no {{field}}/],
    [[jsonl, "--template", "@none.txt"], /cannot read the template none\.txt/],
    [[jsonl, "--template", "{{text}}"], /in\.jsonl:1: the template uses {{text}}/],
    [[csv], /expected a column "q", .* found "id", "text"\nSet the prompt: --template/],
    [[folder.write("mood.csv", "text,label\na,b\n")], /Set the prompt: --template "… {{text}} …"/],
    [[folder.write("empty.txt", "\n")], /no records\nA text file has one prompt per line\./],
    [[csv, "--template", "{{txt}}"], /uses {{txt}} \(did you mean {{text}}\?\), but the columns/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await flexllm([
      ...["batch", ...args, "-o", folder.file("out.jsonl"), "--base-url", mock.baseUrl, "-m", "m"],
    ]);
    assert.match(stderr, message);
    assert.deepEqual([code, stdout], [1, ""], stderr);
    assert.ok(!existsSync(folder.file("out.jsonl")));
  }
  assert.equal(mock.requests.length, 0);
});

Deno.test("lines appended to the input during a run are sent by the next run", async () => {
  using folder = temporaryFolder();
  await using mock = await watchedMock({ delay: 0.05 });
  const input = folder.write("in.jsonl", '{"q":"Hi"}\n'.repeat(60));
  const args = ["batch", input, "-o", folder.file("out.jsonl"), "--base-url", mock.baseUrl];
  await using running = start([...args, "-m", "m", "-c", "4"]);
  while (mock.requests.length < 8) await new Promise((resolve) => setTimeout(resolve, 10));
  appendFileSync(input, '{"q":"Ho"}\n');
  const { code, stderr } = await running.finished;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /in\.jsonl grew while the batch ran; run the same command again/);
  assert.match(stderr, /Done: 60 of 60 records/);
  const second = await flexllm([...args, "-m", "m"]);
  assert.match(second.stderr, /1 succeeded, 0 failed, 60 already done/);
});

Deno.test("placeholders outside a template cause a warning before anything is sent", async () => {
  await using mock = await watchedMock();
  using folder = temporaryFolder();
  const input = folder.write("in.jsonl", questions(3));
  const server = ["--base-url", mock.baseUrl, "-m", "m"];
  const batch = ["batch", input, "-o", folder.file("out.jsonl"), ...server];
  const cases: [args: string[], warning: RegExp | undefined][] = [
    [
      [...batch, "-s", "Be {{q}}"],
      /^warning: the system prompt contains {{q}}, which is sent literally/,
    ],
    [[...batch, "-s", "Be {{q}}", "--estimate"], /^warning: the system prompt contains {{q}}/m],
    [
      ["ask", "Hi", "-s", "Be {{ user.name }}", ...server],
      /^warning: .* contains {{ user\.name }}/,
    ],
    [["ask", "Say {{input}}", ...server], /^warning: the prompt contains {{input}}/],
    [["chat", "Hi", "-s", "Be {{q}}", ...server], /^warning: the system prompt contains {{q}}/],
    [["ask", "What is {{}} or { {a} } or {a}?", "-s", "{{ }}", ...server], undefined],
  ];
  for (const [args, warning] of cases) {
    const { code, stderr } = await flexllm(args);
    assert.equal(code, 0, stderr);
    if (warning === undefined) assert.doesNotMatch(stderr, /warning/);
    else assert.match(stderr, warning);
  }
  folder.write("out.jsonl", "");
  const filled = await flexllm([...batch, "-s", "Be {{q}}", "--template", "{{q}}"]);
  assert.doesNotMatch(filled.stderr, /warning/);
  const systems = mock.requests.slice(-3).map(({ messages }) => messages[0].content).sort();
  assert.deepEqual(systems, ["Be Question 0", "Be Question 1", "Be Question 2"]);
  const piped = await flexllm(["ask", ...server], { stdin: "A template: {{name}}" });
  assert.doesNotMatch(piped.stderr, /warning/, "a text that was not typed for flexllm");
});
