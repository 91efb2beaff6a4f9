/** Input files that change while a batch reads them, and unusual or damaged encodings. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  appendFileSync,
  closeSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { LLMClient } from "../../mod.ts";
import { Journal } from "../../lib/batch/journal/journal.ts";
import { RecordConverter } from "../../lib/input/formats.ts";
import { openInput } from "../../lib/input/input_file.ts";
import { checkInput } from "../../lib/input/check_input.ts";
import { pendingRecords } from "../../lib/input/records.ts";
import { readSchemaFile } from "../../lib/input/schema_file.ts";
import { loadTemplate } from "../../lib/input/template.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

/** Larger than the chunks of 1 MiB in which files are read. */
function manyLines(count: number): string {
  return Array.from({ length: count }, (_, i) => `{"q":"${i} ${"x".repeat(2000)}"}\n`).join("");
}

Deno.test("lines appended to the input during a run are left for the next run", async () => {
  for (
    const [text, more] of [
      [manyLines(1200), '{"q":"new"}\n'],
      ['{"q":"a"}\n{"q":"b"}', '\n{"q":"new"}'],
      ['{"q":"a"}\n{"q":"b"}', " garbage\n"],
    ]
  ) {
    using folder = temporaryFolder();
    const path = folder.write("in.jsonl", text);
    const input = await openInput(path);
    appendFileSync(path, more);
    const check = checkInput(input, undefined, {});
    appendFileSync(path, more);
    assert.equal([...pendingRecords(input, {}, check)].length, check.total);
    assert.equal(check.total, text.trimEnd().split("\n").length);
    assert.equal(input.hasGrown?.(), true);
    input.close();
  }
});

Deno.test("an input that changes during a run ends the batch before a changed line is sent", async () => {
  const changes: ((path: string) => void)[] = [
    (path) => truncateSync(path, 1_500_000),
    (path) => writeFileSync(path, '{"q":"something else"}\n'),
    (path) => writeFileSync(path, manyLines(1300).replaceAll("x", "y")),
    (path) => {
      const fd = openSync(path, "r+");
      writeSync(fd, Buffer.from("y"), 0, 1, 1_800_000);
      closeSync(fd);
    },
  ];
  for (const [n, change] of changes.entries()) {
    using folder = temporaryFolder();
    const path = folder.write("in.jsonl", manyLines(1200));
    const input = await openInput(path);
    const check = checkInput(input, undefined, {});
    assert.equal(check.total, 1200);
    const records = pendingRecords(input, {}, check);
    const sent = [records.next().value!];
    change(path);
    assert.throws(
      () => {
        for (const record of records) sent.push(record);
      },
      /in\.jsonl was changed while the batch ran/,
      `change ${n}`,
    );
    input.close();
    for (const { index, messages } of sent) {
      assert.equal(messages[0].content, `${index} ${"x".repeat(2000)}`);
    }
  }
});

Deno.test("JSON that is nested too deeply is an invalid line, in every kind of file", async () => {
  const deep = (open: string, close: string) => open.repeat(50_000) + close.repeat(50_000);
  const lines = [
    `{"q":"a","m":${deep("[", "]")}}`,
    `{"q":"a","m":${deep('{"a":', "}").replace("}", "1}")}}`,
    `{"messages":[{"role":"user","content":"a","x":${deep("[", "]")}}]}`,
    `{"q":"a","id":1.10,"tools":${deep("[", "]")}}`,
    deep("[", "]"),
    "[".repeat(50_000),
    `{"q":${'{"a":'.repeat(50_000)}`,
  ];
  for (const [i, line] of lines.entries()) {
    using folder = temporaryFolder();
    const input = await openInput(folder.write("in.jsonl", `{"q":"good"}\n${line}\n`));
    const journal = await Journal.open(folder.file("out.jsonl"));
    assert.throws(() => checkInput(input, journal, {}), (error: Error & { code: string }) => {
      assert.equal(error.code, "invalid_input", `line ${i}`);
      assert.match(error.message, /in\.jsonl:2:.*(nested|JSON object)/, `line ${i}`);
      return true;
    });
    const check = checkInput(input, journal, { skipInvalid: true });
    assert.equal(check.total, 1);
    assert.equal([...pendingRecords(input, {}, check)].length, 1);
    journal.close();
    input.close();
  }
  using folder = temporaryFolder();
  const table = await openInput(folder.write("in.csv", `q,tools\na,"${deep("[", "]")}"\n`));
  assert.throws(() => checkInput(table, undefined, {}), /in\.csv:2: tools: expected an array/);
  table.close();
  const schema = folder.write("schema.json", `{"type":"object","x":${deep("[", "]")}}`);
  assert.throws(() => readSchemaFile(schema), /nested more than 500 levels deep/);
});

Deno.test("a result file with a deeply nested value is read; a deeply nested input is sent again", async () => {
  using folder = temporaryFolder();
  const deep = "[".repeat(50_000) + "]".repeat(50_000);
  const input = '"input":[{"role":"user","content":"a"}]';
  const path = folder.write(
    "out.jsonl",
    `{"index":0,"output":"x","status":"success",${input},"metadata":{"a":${deep}}}\n` +
      `{"index":1,"output":null,"status":"error","input":[${deep}]}\n`,
  );
  const journal = await Journal.open(path);
  const messages = [{ role: "user", content: "a" }];
  assert.equal(journal.isDone(0, messages), true);
  assert.equal(journal.isDone(1, messages, true), false);
  journal.close();
});

Deno.test("a byte order mark in a result file is accepted and removed when sorting", async () => {
  using folder = temporaryFolder();
  const line = (i: number) =>
    `{"index":${i},"output":"x","status":"success","input":[{"role":"user","content":"${i}"}]}\r\n`;
  for (const text of [`\ufeff${line(0)}${line(1)}`, `\ufeff${line(1)}\ufeff${line(0)}`]) {
    const journal = await Journal.open(folder.write("out.jsonl", text));
    assert.equal(journal.successes, 2);
    assert.equal(journal.read(0).index, 0);
    journal.compact();
    journal.close();
    assert.equal(folder.read("out.jsonl"), line(0) + line(1));
  }
});

Deno.test("a result file in another encoding is refused by name and not changed", async () => {
  using folder = temporaryFolder();
  const line = '{"index":0,"output":"é","status":"success","input":[]}\n';
  const swapped = Buffer.from(line, "utf16le").swap16();
  for (
    const [bytes, message] of [
      [Buffer.from(`\ufeff${line}`, "utf16le"), /out\.jsonl is UTF-16, not UTF-8/],
      [Buffer.from(line, "utf16le"), /out\.jsonl is UTF-16, not UTF-8/],
      [swapped, /out\.jsonl is UTF-16, not UTF-8/],
      [Buffer.from(line, "latin1"), /out\.jsonl:1 is not a result of flexllm: it is not UTF-8/],
      [Buffer.from("\x1f\x8b\x08\x00", "latin1"), /out\.jsonl is compressed with gzip/],
      [Buffer.from("notes without a newline"), /out\.jsonl:1 is not a result of flexllm/],
    ] as const
  ) {
    const path = folder.file("out.jsonl");
    writeFileSync(path, bytes);
    await assert.rejects(Journal.open(path), (error: Error) => {
      assert.match(error.message, message);
      return true;
    });
    assert.deepEqual(readFileSync(path), bytes);
  }
});

Deno.test("templates and schemas that are not UTF-8 are refused", () => {
  using folder = temporaryFolder();
  const path = folder.file("file");
  writeFileSync(path, Buffer.from("Résumé: {{q}}", "latin1"));
  assert.throws(() => loadTemplate(`@${path}`), /the template .*file is not UTF-8/);
  writeFileSync(path, Buffer.from('{"type":"object","title":"é"}', "latin1"));
  assert.throws(() => readSchemaFile(path), /file: not UTF-8/);
  writeFileSync(path, '\ufeff{"type":"object"}');
  assert.equal(readSchemaFile(path).type, "json_schema");
});

Deno.test("an answer is decoded with the charset of its Content-Type", async () => {
  for (
    const [charset, bytes] of [
      ["iso-8859-1", Buffer.from("Grüße", "latin1")],
      ["GBK", Buffer.from([0xc4, 0xe3, 0xba, 0xc3])],
      ['"UTF-8"', Buffer.from("Grüße 你好")],
      ["no-such-charset", Buffer.from("Grüße 你好")],
    ] as const
  ) {
    const body = Buffer.concat([
      Buffer.from('{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"'),
      bytes,
      Buffer.from('"}}]}'),
    ]);
    const headers = { "content-type": `application/json; charset=${charset}` };
    await using client = new LLMClient({
      baseUrl: "http://localhost/v1",
      model: "m",
      fetch: () => Promise.resolve(new Response(body, { headers })),
    });
    const expected = { "iso-8859-1": "Grüße", GBK: "你好" }[charset as string] ?? "Grüße 你好";
    const messages = [{ role: "user" as const, content: "Hi" }];
    assert.equal((await client.chatCompletions(messages)).content, expected);
    // A server that does not stream answers a streamed request in the same form.
    assert.equal((await client.chatCompletionsStream(messages).finalResult()).content, expected);
  }
});

Deno.test("an event stream is decoded as UTF-8 regardless of its charset", async () => {
  const event = { choices: [{ delta: { content: "Grüße 你好" }, finish_reason: "stop" }] };
  const body = `data: ${JSON.stringify(event)}\n\ndata: [DONE]\n\n`;
  const headers = { "content-type": "text/event-stream;charset=ISO-8859-1" };
  await using client = new LLMClient({
    baseUrl: "http://localhost/v1",
    model: "m",
    fetch: () => Promise.resolve(new Response(body, { headers })),
  });
  const messages = [{ role: "user" as const, content: "Hi" }];
  assert.equal((await client.chatCompletionsStream(messages).finalResult()).content, "Grüße 你好");
  assert.equal((await client.chatCompletions(messages)).content, "Grüße 你好");
});

Deno.test("a prompt can be a conversation, as in TRL datasets", () => {
  const convert = (value: unknown, system?: string) =>
    new RecordConverter({ system }).convert(value);
  const prompt = [{ role: "user", content: "Why?" }];
  assert.deepEqual(convert({ prompt, completion: [{ role: "assistant", content: "x" }], id: 1 }), {
    record: {
      messages: prompt,
      metadata: { completion: [{ role: "assistant", content: "x" }], id: 1 },
      options: undefined,
    },
  });
  const withSystem = [{ role: "system", content: "Be brief." }, ...prompt];
  for (const value of [{ prompt, system: "Be brief." }, { question: withSystem }]) {
    const converted = convert(value);
    assert.ok("record" in converted);
    assert.deepEqual(converted.record.messages, withSystem);
  }
  const converted = convert({ prompt, system: "old" }, "Be brief.");
  assert.deepEqual("record" in converted && converted.record.messages, withSystem);
  assert.deepEqual(convert({ prompt: [{ role: "robot", content: "x" }] }), {
    problem:
      'prompt[0].role: expected one of system, developer, user, assistant, tool, got "robot"',
  });
  assert.deepEqual(convert({ prompt: [] }), {
    problem: "prompt: expected at least one message, got none",
  });
});
