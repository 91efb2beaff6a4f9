/** Numbers that a double cannot represent are sent and stored in the result file unchanged. */
import assert from "node:assert/strict";
import { createMockApp, LLMClient } from "../../mod.ts";
import { LiveExecutor } from "../../lib/batch/executors/live.ts";
import { BatchRun } from "../../lib/batch/run.ts";
import { completionsOf } from "../../lib/client/client.ts";
import { cacheKey } from "../../lib/cache/key.ts";
import { openaiChat } from "../../lib/protocols/openai_chat/openai_chat.ts";
import { canonicalJson } from "../../lib/json/canonical.ts";
import { NormalJsonWriter } from "../../lib/json/normal_json.ts";
import { Journal } from "../../lib/batch/journal/journal.ts";
import { openInput } from "../../lib/input/input_file.ts";
import { readOptions } from "../../lib/input/read_options.ts";
import type { ReadFlags } from "../../lib/input/read_options.ts";
import { checkInput } from "../../lib/input/check_input.ts";
import { pendingRecords } from "../../lib/input/records.ts";
import { asNumber, asObject, isRawNumber, parseExact, withDoubles } from "../../lib/json/json.ts";
import { seededRandom } from "../../lib/runtime/random.ts";
import { parseArguments } from "../../lib/protocols/tool_arguments.ts";
import { jsonLines, type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

const NUMBERS = [
  ...["1669700650467246081", "-9223372036854775808", "18446744073709551615"],
  ...["1.10", "1.0", "-0", "-0.0", "1e400", "1E5", "1e5", "1.5e+3", "0.1234567890123456789"],
  ...["0.0000001", "123456789012345678901234567890", "9007199254740993", "100.00"],
];
const PLAIN = ["0", "1", "-1", "1.5", "0.1", "123456789012345", "-12.25", "0.00001"];

/** Runs a batch over the lines `input` as the command does. Returns the request bodies. */
async function run(
  folder: TemporaryFolder,
  input: string,
  flags: ReadFlags = {},
  name = "in.jsonl",
) {
  const sent: string[] = [];
  const app = createMockApp();
  await using client = new LLMClient({
    provider: "mock",
    model: "mock",
    fetch: async (url, init) => {
      sent.push(String(init.body));
      return await app.fetch(new Request(url, init));
    },
  });
  const file = await openInput(folder.write(name, input));
  const journal = await Journal.open(folder.file("out.jsonl"));
  try {
    const reading = readOptions(file, flags);
    const check = checkInput(file, journal, reading);
    const batch = new BatchRun(new LiveExecutor(completionsOf(client)), {
      journal,
      restored: check.total - check.pending,
    });
    for await (const _ of batch.items(pendingRecords(file, reading, check)));
    journal.compact();
    return sent;
  } finally {
    journal.close();
    file.close();
  }
}

Deno.test("parseExact() preserves the digits of each number, and returns simple ones as numbers", () => {
  for (const number of NUMBERS) {
    for (const text of [number, `[${number}]`, `{"a":[1,${number}]}`, `[1,{"b":${number}}]`]) {
      assert.equal(JSON.stringify(parseExact(text)), text);
      assert.deepEqual(withDoubles(parseExact(text)), JSON.parse(text));
    }
    assert.equal(asObject(parseExact(number)), undefined);
    assert.equal(asNumber(parseExact(number)), Number(number));
  }
  for (const number of PLAIN) {
    assert.equal(parseExact(number), Number(number));
    assert.deepEqual(parseExact(`{"a": ${number} }`), { a: Number(number) });
  }
  assert.deepEqual(parseExact('{"rawJSON":"1"}'), { rawJSON: "1" });
  assert.equal(isRawNumber({ rawJSON: "1" }), false);
  assert.throws(() => parseExact('{"a":1.10'), SyntaxError);
});

Deno.test("parseExact() round-trips any JSON, whatever its numbers look like", () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const random = seededRandom(seed);
    const digits = (most: number) =>
      Array.from({ length: 1 + Math.floor(random() * most) }, () => Math.floor(random() * 10)).join(
        "",
      );
    const number = (random() < 0.3 ? "-" : "") + digits(20).replace(/^0+(?=\d)/, "") +
      (random() < 0.5 ? `.${digits(18)}` : "") +
      (random() < 0.3
        ? `${random() < 0.5 ? "e" : "E"}${["", "+", "-"][seed % 3]}${digits(3)}`
        : "");
    const text = `{"id":${number},"texts":[${JSON.stringify(`, ${number}`)},${number}]}`;
    assert.equal(JSON.stringify(parseExact(text)), text);
    assert.deepEqual(withDoubles(parseExact(text)), JSON.parse(text));
  }
});

Deno.test("numbers of a record are sent and stored unchanged", async () => {
  for (const number of NUMBERS) {
    using folder = temporaryFolder();
    const line = `{"messages":[{"role":"user","content":"Hi","n":${number}}],"id":${number},` +
      `"deep":{"list":[${number}]}}\n` +
      `{"custom_id":${number},"body":{"messages":[{"role":"user","content":"Hi"}],` +
      `"user_score":${number}}}\n`;
    const sent = await run(folder, line);
    const [first, second] = folder.read("out.jsonl").split("\n");
    assert.ok(first.includes(`"metadata":{"id":${number},"deep":{"list":[${number}]}}`), first);
    assert.ok(first.includes(`"n":${number}`));
    assert.ok(second.includes(`"metadata":{"custom_id":${number}}`), second);
    assert.ok(sent.some((body) => body.includes(`"user_score":${number}`)), sent.join("\n"));
    assert.deepEqual(await run(folder, line), [], "all is done");
  }
});

Deno.test("options of a record are sent unchanged, and counts as integers", async () => {
  using folder = temporaryFolder();
  const sent = await run(
    folder,
    '{"q":"Hi","temperature":1.0,"top_p":0.90,"seed":9223372036854775807,"max_tokens":1e2}\n',
  );
  assert.match(
    sent[0],
    /"temperature":1\.0,"top_p":0\.90,"max_tokens":100,"seed":9223372036854775807/,
  );
  const options = '"temperature":1.0,"top_p":0.90,"seed":9223372036854775807,"max_tokens":100';
  assert.ok(folder.read("out.jsonl").includes(`"options":{${options}}`), folder.read("out.jsonl"));
  await assert.rejects(
    run(folder, '{"q":"Hi","temperature":1e400}\n'),
    /expected a number, got 1e400/,
  );
  await assert.rejects(run(folder, '{"q":"Hi","max_tokens":1.50}\n'), /integer ≥ 1, got 1\.50/);
});

Deno.test("templates and tables leave numbers unchanged", async () => {
  using folder = temporaryFolder();
  const sent = await run(folder, '{"id":1669700650467246081,"p":{"q":[1.10]}}\n', {
    template: "Is {{id}} {{p}} {{p.q}}?",
  });
  assert.match(sent[0], /Is 1669700650467246081 \{\\"q\\":\[1\.10\]\} \[1\.10\]\?/);
  using table = temporaryFolder();
  const rows = await run(
    table,
    "q,id,temperature,seed\nHi,1.10,0.70,\nHo,1,+.5,-0\n",
    {},
    "in.csv",
  );
  assert.deepEqual(rows.map((body) => /"temperature":([^,}]*)/.exec(body)![1]).sort(), [
    "0.5",
    "0.70",
  ]);
  assert.equal(jsonLines(table.read("out.jsonl"))[0].metadata.id, "1.10");
});

Deno.test("results from a version that stored doubles can be resumed, as can another spelling", async () => {
  using folder = temporaryFolder();
  const line = (n: string) =>
    `{"messages":[{"role":"user","content":"Hi","n":${n}}],"seed":1,"id":${n}}\n`;
  const stored = (n: string) =>
    `{"index":0,"output":"Hello","status":"success","input":[{"role":"user","content":"Hi","n":${n}}],` +
    `"options":{"seed":1}}\n`;
  for (
    const [now, before] of [
      ["1669700650467246081", "1669700650467246000"],
      ["1.10", "1.1"],
      ["1e400", "null"],
      ["-0", "0"],
      ["1E5", "100000"],
    ]
  ) {
    folder.write("out.jsonl", stored(before));
    assert.deepEqual(await run(folder, line(now)), [], now);
    assert.equal(folder.read("out.jsonl"), stored(before));
  }
  folder.write("out.jsonl", stored("1.10"));
  await assert.rejects(run(folder, line("1.2")), { code: "journal_mismatch" });
});

Deno.test("cache keys differ between numbers that are different bytes on the wire", () => {
  const key = (number: string) =>
    cacheKey({
      baseUrl: "http://x",
      protocol: openaiChat,
      model: "m",
      body: `{"seed":${number},"messages":[]}`,
    });
  assert.notEqual(key("1669700650467246081"), key("1669700650467246082"));
  assert.notEqual(key("1.10"), key("1.1"));
  assert.equal(key("1.10"), key("1.10"));
});

Deno.test("canonicalJson() sorts fields and writes every value as JSON.stringify does", () => {
  const value = {
    b: [1, undefined, { d: "é\n\ud800", c: null }],
    a: new Date(0),
    z: undefined,
    n: 1e21,
  };
  assert.equal(
    canonicalJson(value),
    '{"a":"1970-01-01T00:00:00.000Z","b":[1,null,{"c":null,"d":"é\\n\\ud800"}],"n":1e+21}',
  );
  assert.equal(
    canonicalJson({ a: 12345678901234567890n, b: Infinity }),
    '{"a":12345678901234567890,"b":null}',
  );
  assert.equal(canonicalJson(parseExact("[1.10,1e400]")), "[1.10,1e400]");
});

Deno.test("the normal form for hashing has all numbers as doubles", () => {
  const normalJson = (value: unknown) => {
    const writer = new NormalJsonWriter();
    writer.write(value);
    return new TextDecoder().decode(writer.buffer.bytes);
  };
  assert.equal(normalJson(parseExact("[1.10,1e400]")), "[1.1,null]");
  assert.equal(normalJson([1669700650467246081n]), normalJson([1669700650467246081]));
  const value = {
    z: undefined,
    bb: [new Date(0), undefined],
    c: { toJSON: () => "é\ud800" },
    a: -0,
  };
  assert.equal(
    normalJson(value),
    '{"a":0,"c":"é\\ud800","bb":["1970-01-01T00:00:00.000Z",null]}',
  );
});

Deno.test("tool call arguments sent as an object preserve their numbers", () => {
  const call = (text: string) => ({
    id: "1",
    type: "function" as const,
    function: { name: "f", arguments: text },
  });
  const text = '{"id":1669700650467246081,"price":1.10}';
  assert.equal(JSON.stringify(parseArguments(call(text))), text);
});

Deno.test("the parsed value is stored with the numbers of the answer", async () => {
  using folder = temporaryFolder();
  const content = '{"id":1669700650467246081,"price":1.10}';
  const output = folder.file("out.jsonl");
  const client = new LLMClient({
    baseUrl: "http://localhost/v1",
    model: "m",
    fetch: () =>
      Promise.resolve(Response.json({
        choices: [{ message: { role: "assistant", content }, finish_reason: "stop" }],
      })),
  });
  const schema = '{"type":"object","properties":{"price":{"type":"number","minimum":1.0}}}';
  const { results } = await client.chatCompletionsBatch([[{ role: "user", content: "Hi" }]], {
    output,
    responseFormat: {
      type: "json_schema",
      json_schema: { name: "a", schema: parseExact(schema) as Record<string, unknown> },
    },
  });
  const [item] = results;
  assert.ok(item.status === "success");
  assert.deepEqual(item.result.parsed, JSON.parse(content), "the library's values are doubles");
  assert.ok(folder.read("out.jsonl").includes(`"parsed":${content}`), folder.read("out.jsonl"));
});
