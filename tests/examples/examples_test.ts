/** Every script of examples/, run as a user would: without a key, and against a server. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { text } from "node:stream/consumers";
import process from "node:process";
import { parse } from "csv-parse/sync";
import { startMockServer } from "../../mod.ts";
import { ROOT } from "../support/cli.ts";
import { jsonLines, temporaryFolder } from "../support/temporary_folder.ts";
import { watchedMock } from "../support/watched_mock.ts";

/** A script that takes longer, in milliseconds, is considered to hang. */
const LONGEST = 180_000;

interface Run {
  args?: string[];
  /** The server to use. Default: the embedded mock. */
  baseUrl?: string;
  /** Its working directory. Default: a new folder. */
  cwd?: string;
  /** The runtime. */
  verb?: string[];
}

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The environment of the tests, without the variables that name a server. */
function environment(baseUrl: string | undefined): Record<string, string> {
  const env: Record<string, string> = { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };
  for (const [name, value = ""] of Object.entries(process.env)) {
    if (!/^(FLEXLLM|OPENAI)_|^PORT$/.test(name)) env[name] ??= value;
  }
  if (baseUrl === undefined) return env;
  return { ...env, FLEXLLM_BASE_URL: baseUrl, FLEXLLM_API_KEY: "sk-example-0123456789" };
}

function spawnExample(
  name: string,
  { args = [], baseUrl, cwd, verb = ["run"] }: Run,
  env: Record<string, string> = {},
): ChildProcess {
  return spawn(
    process.execPath,
    [...verb, "--quiet", "-A", "--frozen", `${ROOT}examples/${name}.ts`, ...args],
    {
      cwd,
      timeout: LONGEST,
      env: { ...environment(baseUrl), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
}

async function runExample(name: string, options: Run = {}): Promise<Ended> {
  using folder = temporaryFolder();
  const child = spawnExample(name, { cwd: folder.path, ...options });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    ended,
  ]);
  return { code, stdout, stderr };
}

/** The last line that a script prints without a key. */
const KEYLESS: Record<string, RegExp> = {
  budget: /^\d+ of 60 answered for \$0\.00\d+$/,
  classify_tickets: /^8 labelled, 0 failed$/,
  compare_models: /^└─+/,
  map_reduce: /^You asked: "Question: What was done/,
  pool_failover: /^40 of 40 answered, 0 failed$/,
  provider_batch: /^\d+ of \d+ answered, 0 failed$/,
  shared_cache: /^60 answers, 0 of them from answers\.sqlite$/,
  tool_loop: /^You asked: "What should I wear in Oslo today\?"/,
  translate_csv: /^translated\.csv: 6 translated, 0 restored, 0 failed$/,
};

Deno.test("every example has a test", () => {
  const scripts = readdirSync(`${ROOT}examples`).filter((name) => name.endsWith(".ts"));
  const tested = [...Object.keys(KEYLESS), "gateway", "mocked_app_test", "stream_web"];
  assert.deepEqual(scripts.sort(), tested.map((name) => `${name}.ts`).sort());
});

for (const [name, lastLine] of Object.entries(KEYLESS)) {
  Deno.test(`example ${name} runs without a key`, async () => {
    const { code, stdout, stderr } = await runExample(name);
    assert.equal(code, 0, stderr);
    assert.match(stdout.trimEnd().split("\n").at(-1)!, lastLine);
  });
}

Deno.test("example classify_tickets prints the labels from the model", async () => {
  const label = (topic: string, urgent: boolean) => JSON.stringify({ topic, urgent });
  await using server = await watchedMock({
    responses: [
      { match: "log in", text: label("fault", true) },
      { match: "invoice", text: label("billing", false) },
      { match: "calendar", text: "I cannot say." },
      { text: label("question", false) },
    ],
  });
  const { code, stdout, stderr } = await runExample("classify_tickets", server);
  assert.equal(code, 0, stderr);
  const lines = stdout.split("\n");
  assert.deepEqual([lines[0], lines[3]], ["T-1041  billing", "T-1044  fault     urgent"]);
  assert.equal(lines[2], "T-1043  question");
  assert.equal(lines[8], "8 labelled, 0 failed");
  assert.equal(server.requests[0].response_format.type, "json_schema");
  assert.equal(server.requests.length, 9, "what does not fit is asked for again");
});

Deno.test("example translate_csv adds a column, and sends each row only once", async () => {
  await using server = await watchedMock({
    responses: [{ match: "herring", text: 'Hareng mariné, "comme au port"' }, { text: "Bon" }],
  });
  using folder = temporaryFolder();
  const run = () => runExample("translate_csv", { ...server, cwd: folder.path });
  assert.equal((await run()).code, 0);
  const rows: Record<string, string>[] = parse(folder.read("translated.csv"), { columns: true });
  assert.deepEqual(rows.map((row) => row["description (French)"]), [
    "Bon",
    'Hareng mariné, "comme au port"',
    "Bon",
    "Bon",
    "Bon",
    "Bon",
  ]);
  assert.equal(rows[1].description, 'Pickled herring, boiled potatoes, "just like at the harbour"');
  assert.match((await run()).stdout, /: 0 translated, 6 restored, 0 failed\n$/);
  assert.equal(server.requests.length, 6);
  assert.equal(jsonLines(folder.read("translated.csv.jsonl")).length, 6);
  const wrong = await runExample("translate_csv", { args: [`${ROOT}examples/data/menu.csv`, "x"] });
  assert.deepEqual([wrong.code, wrong.stdout], [1, ""]);
  assert.match(wrong.stderr, /menu\.csv has no column "x"/);
});

Deno.test("example tool_loop sends the tool's result back to the model", async () => {
  await using server = await watchedMock({ length: 40 });
  const args = ["Shall I cycle to work in Oslo?"];
  const { code, stdout, stderr } = await runExample("tool_loop", { ...server, args });
  assert.equal(code, 0, stderr);
  assert.equal(stderr, 'get_weather({"city":"Oslo"}) = -3 °C, snow\n');
  assert.match(stdout, /^You asked: "Shall I cycle/);
  const [first, second] = server.requests;
  assert.deepEqual([first.tool_choice, second.tool_choice], ["required", "auto"]);
  const [, assistant, tool] = second.messages;
  assert.equal(tool.tool_call_id, assistant.tool_calls[0].id);
  assert.equal(tool.content, "-3 °C, snow");
});

Deno.test("example map_reduce sends each section, then the combined answers", async () => {
  await using server = await watchedMock({
    responses: [
      { match: "Findings:", text: "Shore power [Shore power]." },
      { match: "## Shore power", text: "Eleven ships used it." },
      { match: "## Fees", text: "The fund pays." },
      { text: "NOTHING" },
    ],
  });
  const { code, stdout, stderr } = await runExample("map_reduce", server);
  assert.deepEqual([code, stdout], [0, "Shore power [Shore power].\n"], stderr);
  assert.equal(server.requests.length, 8);
  const { content } = server.requests.at(-1).messages.at(-1);
  assert.ok(content.endsWith("\n[Shore power] Eleven ships used it.\n[Fees] The fund pays."));
});

Deno.test("example compare_models counts the correct answers of each model", async () => {
  await using server = await watchedMock({
    responses: [{ match: "France", text: "Paris" }, { match: "Switzerland", text: "Bern." }, {
      text: "Sydney",
    }],
  });
  const args = ["one", "two"];
  const { code, stdout, stderr } = await runExample("compare_models", { ...server, args });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /"one" +│ "2\/8"[^]*"two" +│ "2\/8"/);
  const asked = server.requests.map(({ model }) => model);
  assert.deepEqual(asked, [...Array(8).fill("one"), ...Array(8).fill("two")]);
});

Deno.test("example pool_failover bypasses a failing server", async () => {
  await using broken = await startMockServer({ errorRate: 1 });
  await using good = await watchedMock();
  const args = [broken.baseUrl, good.baseUrl];
  const { code, stdout, stderr } = await runExample("pool_failover", { args });
  assert.equal(code, 0, stderr);
  assert.ok(stdout.includes(`${good.baseUrl}: up, 40 answers, no failures\n`), stdout);
  assert.match(stdout, /: (up|down|probing|cooling), 0 answers, some failures\n/);
  assert.equal(good.requests.length, 40);
});

Deno.test("example budget stops before the limit", async () => {
  await using server = await watchedMock({ length: 200 });
  const { code, stdout, stderr } = await runExample("budget", { ...server, args: ["0.0008"] });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^half of the budget is spent.*\nthe budget of \$0\.0008 does not allow/);
  const [, answers, spent] = /^(\d+) of 60 answered for \$([\d.]+)\n$/.exec(stdout)!;
  assert.ok(Number(spent) <= 0.0008 && Number(answers) === server.requests.length, stdout);
});

Deno.test("example shared_cache shares answers between processes", async () => {
  await using server = await watchedMock();
  using folder = temporaryFolder();
  const run = () => runExample("shared_cache", { ...server, args: [folder.file("a.sqlite")] });
  const both = await Promise.all([run(), run()]);
  assert.deepEqual(both.map(({ code }) => code), [0, 0], both[0].stderr + both[1].stderr);
  const before = server.requests.length;
  assert.match((await run()).stdout, /^60 answers, 60 of them from .*a\.sqlite\n$/);
  assert.equal(server.requests.length, before);
});

Deno.test("example stream_web streams answers and reports errors", async () => {
  await using server = await watchedMock({
    responses: [{ match: "sky", text: "Because of the air." }],
  });
  const child = spawnExample("stream_web", server, { PORT: "0" });
  const ended = new Promise((resolve) => child.on("close", resolve));
  try {
    let printed = "";
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout!.on("data", (chunk) => {
        printed += chunk;
        if (printed.includes("\n")) resolve(printed.trim());
      });
      child.on("close", () => reject(new Error("the server ended at once")));
    });
    const ask = (body: string) => fetch(url, { method: "POST", body });
    const answer = await ask('{"question": "Why is the sky blue?"}');
    assert.equal(answer.headers.get("content-type"), "text/event-stream");
    const events = (await answer.text()).trim().split("\n\n");
    const pieces = events.slice(0, -1).map((event) => JSON.parse(event.replace("data: ", "")));
    assert.equal(pieces.join(""), "Because of the air.");
    assert.match(events.at(-1)!, /^event: end\ndata: \{"usage":.*"finishReason":"stop"\}$/);
    assert.equal(server.requests[0].stream, true);
    const wrong = await ask("{");
    assert.deepEqual([wrong.status, await wrong.text()], [
      400,
      '{"error":"\\"question\\" is missing"}',
    ]);
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
});

Deno.test("example gateway answers clients that have its key", async () => {
  const child = spawnExample("gateway", {}, { PORT: "0" });
  const ended = new Promise((resolve) => child.on("close", resolve));
  try {
    let printed = "";
    const [url, key] = await new Promise<string[]>((resolve, reject) => {
      child.stdout!.on("data", (chunk) => {
        printed += chunk;
        const [, ...found] = /^(http:\S+)\nKEY=(\S+)\n/.exec(printed) ?? [];
        if (found.length > 0) resolve(found);
      });
      child.on("close", () => reject(new Error("the server ended at once")));
    });
    const body = { model: "assistant", messages: [{ role: "user", content: "Hello!" }] };
    const post = (headers: HeadersInit) =>
      fetch(`${url}/v1/chat/completions`, { method: "POST", body: JSON.stringify(body), headers });
    const refused = await post({});
    await refused.text();
    assert.equal(refused.status, 401);
    const answer = await (await post({ authorization: `Bearer ${key}` })).json();
    assert.match(answer.choices[0].message.content, /Hello!/);
    assert.match(await (await fetch(`${url}/about`)).text(), /A gateway and a page/);
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
});

Deno.test("example mocked_app_test passes", async () => {
  const run = { verb: ["test", "--no-check"], cwd: ROOT };
  const { code, stdout, stderr } = await runExample("mocked_app_test", run);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /ok \| 3 passed \| 0 failed/);
  assert.ok(!existsSync(`${ROOT}answers.sqlite`));
});
