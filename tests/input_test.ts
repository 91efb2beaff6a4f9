import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { writeFileSync } from "node:fs";
import { Checkpoint } from "../lib/checkpoint/checkpoint.ts";
import { toBatchRecord } from "../lib/input/formats.ts";
import { openInput } from "../lib/input/input_file.ts";
import { checkInput, readRecords, usableRecords } from "../lib/input/records.ts";
import { type TemporaryFolder, temporaryFolder } from "./support/temporary_folder.ts";

function messagesOf(value: unknown, system?: string) {
  const converted = toBatchRecord(value, system);
  if ("problem" in converted) throw new Error(converted.problem);
  return converted.record.messages.map(({ role, content }) => `${role}: ${content}`);
}

/** What `checkInput` says of a file with the given content. */
async function check(folder: TemporaryFolder, text: string, skipInvalid = false) {
  const input = await openInput(folder.write("in.jsonl", text));
  const checkpoint = await Checkpoint.open(folder.file("out.jsonl"));
  try {
    const result = checkInput(input, checkpoint, { skipInvalid });
    return { ...result, records: [...usableRecords(input, {})] };
  } finally {
    checkpoint.close();
    input.close();
  }
}

Deno.test("each input form becomes a conversation", () => {
  assert.deepEqual(messagesOf({ q: "Why?" }), ["user: Why?"]);
  assert.deepEqual(messagesOf({ question: "Why?", system: "Be brief." }), [
    "system: Be brief.",
    "user: Why?",
  ]);
  assert.deepEqual(messagesOf({ prompt: "Why?" }), ["user: Why?"]);
  assert.deepEqual(messagesOf({ instruction: "Sum up", input: "A text" }), [
    "user: Sum up\n\nA text",
  ]);
  assert.deepEqual(messagesOf({ instruction: "Sum up", input: "" }), ["user: Sum up"]);
  assert.deepEqual(messagesOf({ messages: [{ role: "user", content: "Why?" }] }), ["user: Why?"]);
});

Deno.test("a system prompt for all replaces that of questions and is added where there is none", () => {
  assert.deepEqual(messagesOf({ q: "Why?", system: "old" }, "new"), ["system: new", "user: Why?"]);
  assert.deepEqual(messagesOf({ instruction: "Do" }, "new"), ["system: new", "user: Do"]);
  const user = { role: "user", content: "Why?" };
  assert.deepEqual(messagesOf({ messages: [user] }, "new"), ["system: new", "user: Why?"]);
  const own = { role: "system", content: "own" };
  assert.deepEqual(messagesOf({ messages: [own, user] }, "new"), ["system: own", "user: Why?"]);
});

Deno.test("other fields become metadata, the expected output of a training set does not", () => {
  const metadata = (value: unknown) => {
    const converted = toBatchRecord(value, undefined);
    return "record" in converted ? converted.record.metadata : undefined;
  };
  assert.deepEqual(metadata({ q: "Why?", id: 7, tags: ["a"] }), { id: 7, tags: ["a"] });
  assert.deepEqual(metadata({ instruction: "Do", output: "Done", id: 7 }), { id: 7 });
  assert.equal(metadata({ q: "Why?" }), undefined);
});

Deno.test("records that cannot be used say why", () => {
  const cases: [unknown, RegExp][] = [
    [{ text: "x", id: 1 }, /expected a field "messages", .* found "text", "id"/],
    [{}, /found no field at all/],
    [{ q: 42 }, /q: expected a string, got 42/],
    [{ q: "x", system: 1 }, /system: expected a string, got 1/],
    [{ instruction: "x", input: [] }, /input: expected a string, got \[\]/],
    [{ messages: [] }, /at least one message/],
    [{ messages: [{ role: "boss", content: "x" }] }, /messages\[0\]\.role/],
    [["q"], /expected a JSON object/],
    ["text", /expected a JSON object, got "text"/],
  ];
  for (const [value, pattern] of cases) {
    const converted = toBatchRecord(value, undefined);
    assert.match("problem" in converted ? converted.problem : "no problem", pattern);
  }
});

Deno.test("byte order mark, CRLF, blank lines, mixed forms and a missing last newline are fine", async () => {
  using folder = temporaryFolder();
  const text = '\uFEFF{"q":"one"}\r\n\r\n  \n{"instruction":"two"}\r\n{"prompt":"three 日本"}';
  const { total, records } = await check(folder, text);
  assert.equal(total, 3);
  assert.deepEqual(records.map(({ index, messages }) => [index, messages[0].content]), [
    [0, "one"],
    [1, "two"],
    [2, "three 日本"],
  ]);
});

Deno.test("a line of 5 MB, longer than what is read at once, is whole", async () => {
  using folder = temporaryFolder();
  const long = "naïve ".repeat(800_000);
  const { records } = await check(folder, `{"q":"a"}\n{"q":"${long}"}\n{"q":"b"}\n`);
  assert.deepEqual(records.map(({ messages }) => messages[0].content), ["a", long, "b"]);
});

Deno.test("bad lines are told with file, line and column before anything is sent", async () => {
  using folder = temporaryFolder();
  const text = '{"q":"a"}\n{"q":"b"}\n{"q":"c" "id":1}\n{"text":"d"}\n';
  await assert.rejects(check(folder, text), (error: Error & { hint?: string }) => {
    const [third, fourth] = error.message.split("\n");
    assert.match(third, /in\.jsonl:3:10: not valid JSON \(comma expected\)$/);
    assert.match(fourth, /in\.jsonl:4: expected a field/);
    assert.match(error.hint!, /Nothing was sent.*--skip-invalid/);
    return true;
  });
});

Deno.test("many bad lines are counted, not all shown", async () => {
  using folder = temporaryFolder();
  await assert.rejects(check(folder, "x\n".repeat(100)), /… and 95 more/);
});

Deno.test("with bad lines left out, the others keep their index", async () => {
  using folder = temporaryFolder();
  const { total, invalid, records } = await check(folder, '{"q":"a"}\nbad\n{"q":"c"}\n', true);
  assert.deepEqual([total, invalid], [2, 1]);
  assert.deepEqual(records.map(({ index }) => index), [0, 2]);
});

Deno.test("an input without a record is an error", async () => {
  using folder = temporaryFolder();
  for (const text of ["", "\n\n", "\uFEFF"]) {
    await assert.rejects(check(folder, text), /in\.jsonl has no record/);
  }
});

Deno.test("an input that is not there, or a folder, is an error", async () => {
  using folder = temporaryFolder();
  await assert.rejects(openInput(folder.file("none.jsonl")), /none\.jsonl does not exist/);
  await assert.rejects(openInput(folder.path), /is a folder, not a file/);
});

Deno.test("records can be read twice", async () => {
  using folder = temporaryFolder();
  const input = await openInput(folder.write("in.jsonl", '{"q":"a"}\n{"q":"b"}\n'));
  assert.equal([...readRecords(input, undefined)].length, 2);
  assert.equal([...readRecords(input, undefined)].length, 2);
  input.close();
});

Deno.test("an input that lost its last records does not fit the checkpoint", async () => {
  using folder = temporaryFolder();
  const input = [{ role: "user", content: "b" }];
  folder.write(
    "out.jsonl",
    `${JSON.stringify({ index: 1, status: "success", output: "x", input })}\n`,
  );
  await assert.rejects(check(folder, '{"q":"a"}\n'), { code: "checkpoint_mismatch", index: 1 });
});

Deno.test("what is not UTF-8 is a bad line, what holds the replacement character is not", async () => {
  using folder = temporaryFolder();
  const path = folder.file("in.jsonl");
  writeFileSync(path, Buffer.from('{"q":"fine \\ufffd \ufffd"}\n{"q":"caf\xe9"}\n', "latin1"));
  const latin = await openInput(path);
  const [first, second] = [...readRecords(latin, undefined)];
  latin.close();
  assert.ok("problem" in first || "index" in first);
  assert.match("problem" in second ? second.problem : "", /in\.jsonl:2: not UTF-8; convert it/);
  const { total } = await check(folder, '{"q":"fine \ufffd"}\n');
  assert.equal(total, 1);
});

Deno.test("files that were joined may each begin with a byte order mark", async () => {
  using folder = temporaryFolder();
  const { total } = await check(folder, '\uFEFF{"q":"a"}\n\uFEFF{"q":"b"}\n');
  assert.equal(total, 2);
});
