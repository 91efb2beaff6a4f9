import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { appendFileSync, truncateSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { Journal } from "../../lib/batch/journal/journal.ts";
import { RecordConverter } from "../../lib/input/formats.ts";
import { openInput } from "../../lib/input/input_file.ts";
import { readOptions } from "../../lib/input/read_options.ts";
import { checkInput } from "../../lib/input/check_input.ts";
import { pendingRecords, readRecords } from "../../lib/input/records.ts";
import { parseShard } from "../../lib/input/selection.ts";
import { Template } from "../../lib/input/template.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

function messagesOf(value: unknown, system?: string) {
  const converted = new RecordConverter({ system }).convert(value);
  if ("problem" in converted) throw new Error(converted.problem);
  return converted.record.messages.map(({ role, content }) => `${role}: ${content}`);
}

/** The result of `checkInput` for a file with the given content. */
async function check(folder: TemporaryFolder, text: string, skipInvalid = false) {
  const input = await openInput(folder.write("in.jsonl", text));
  const journal = await Journal.open(folder.file("out.jsonl"));
  try {
    const { lines, ...counts } = checkInput(input, journal, { skipInvalid });
    return { ...counts, records: [...pendingRecords(input, {}, { lines })] };
  } finally {
    journal.close();
    input.close();
  }
}

Deno.test("each input format becomes a conversation", () => {
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

Deno.test("the system prompt replaces the `system` field of prompts and is added to conversations without one", () => {
  assert.deepEqual(messagesOf({ q: "Why?", system: "old" }, "new"), ["system: new", "user: Why?"]);
  assert.deepEqual(messagesOf({ instruction: "Do" }, "new"), ["system: new", "user: Do"]);
  const user = { role: "user", content: "Why?" };
  assert.deepEqual(messagesOf({ messages: [user] }, "new"), ["system: new", "user: Why?"]);
  const own = { role: "system", content: "own" };
  assert.deepEqual(messagesOf({ messages: [own, user] }, "new"), ["system: own", "user: Why?"]);
});

Deno.test("other fields become metadata, except the expected output of a training set", () => {
  const metadata = (value: unknown) => {
    const converted = new RecordConverter({}).convert(value);
    return "record" in converted ? converted.record.metadata : undefined;
  };
  assert.deepEqual(metadata({ q: "Why?", id: 7, tags: ["a"] }), { id: 7, tags: ["a"] });
  assert.deepEqual(metadata({ instruction: "Do", output: "Done", id: 7 }), { id: 7 });
  assert.equal(metadata({ q: "Why?" }), undefined);
});

Deno.test("an invalid record is refused with a reason", () => {
  const cases: [unknown, RegExp][] = [
    [{ text: "x", id: 1 }, /expected a field "messages", .* found "text", "id"/],
    [{}, /found no fields/],
    [42, /expected a JSON object, got 42/],
    [{ q: null }, /q: expected a prompt, got null/],
    [{ q: 42 }, /q: expected a string, got 42/],
    [{ q: "x", system: 1 }, /system: expected a string, got 1/],
    [{ instruction: "x", input: [] }, /input: expected a string, got \[\]/],
    [{ messages: [] }, /at least one message/],
    [{ messages: [{ role: "boss", content: "x" }] }, /messages\[0\]\.role/],
    [["q"], /expected a JSON object/],
    [" ", /expected text, got an empty string/],
  ];
  for (const [value, pattern] of cases) {
    const converted = new RecordConverter({}).convert(value);
    assert.match("problem" in converted ? converted.problem : "no problem", pattern);
  }
});

Deno.test("a byte order mark, CRLF, blank lines, mixed formats and a missing last newline are accepted", async () => {
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

Deno.test("a line of 5 MB, longer than a chunk, is read whole", async () => {
  using folder = temporaryFolder();
  const long = "naïve ".repeat(800_000);
  const { records } = await check(folder, `{"q":"a"}\n{"q":"${long}"}\n{"q":"b"}\n`);
  assert.deepEqual(records.map(({ messages }) => messages[0].content), ["a", long, "b"]);
});

Deno.test("a line that no string can hold is invalid, and the next ones are read", async () => {
  using folder = temporaryFolder();
  const path = folder.write("in.jsonl", '{"q":"a"}\n');
  // Zeros, as a broken download may have. The file is sparse.
  truncateSync(path, 257 * 1024 * 1024);
  appendFileSync(path, '\n{"q":"c"}\n');
  using input = { file: await openInput(path), [Symbol.dispose]: () => input.file.close() };
  assert.throws(() => checkInput(input.file, undefined, {}), /in\.jsonl:2: longer than 256 MB$/);
  const { lines, invalid } = checkInput(input.file, undefined, { skipInvalid: true });
  assert.equal(invalid, 1);
  assert.deepEqual([...lines].map(({ index, number }) => [index, number]), [[0, 1], [2, 3]]);
});

Deno.test("invalid lines are reported with file, line and column before anything is sent", async () => {
  using folder = temporaryFolder();
  const text = '{"q":"a"}\n{"q":"b"}\n{"q":"c" "id":1}\n{"title":"d"}\n';
  await assert.rejects(check(folder, text), (error: Error & { hint?: string }) => {
    const [third, fourth] = error.message.split("\n");
    assert.match(third, /in\.jsonl:3:10: not valid JSON \(comma expected\)$/);
    assert.match(fourth, /in\.jsonl:4: expected a field/);
    assert.match(error.hint!, /Nothing was sent.*--skip-invalid/);
    return true;
  });
});

Deno.test("of many invalid lines, the first are listed and the rest counted", async () => {
  using folder = temporaryFolder();
  await assert.rejects(check(folder, "x\n".repeat(100)), /… and 95 more/);
});

Deno.test("skipping invalid lines does not shift the index of the others", async () => {
  using folder = temporaryFolder();
  const { total, invalid, records } = await check(folder, '{"q":"a"}\nbad\n{"q":"c"}\n', true);
  assert.deepEqual([total, invalid], [2, 1]);
  assert.deepEqual(records.map(({ index }) => index), [0, 2]);
});

Deno.test("an input without a record is an error", async () => {
  using folder = temporaryFolder();
  for (const text of ["", "\n\n", "\uFEFF"]) {
    await assert.rejects(check(folder, text), /in\.jsonl contains no records/);
  }
});

Deno.test("a missing input or a folder is an error", async () => {
  using folder = temporaryFolder();
  await assert.rejects(openInput(folder.file("none.jsonl")), /none\.jsonl does not exist/);
  await assert.rejects(openInput(folder.path), /the folder .* has no files/);
});

Deno.test("records can be read twice", async () => {
  using folder = temporaryFolder();
  const input = await openInput(folder.write("in.jsonl", '{"q":"a"}\n{"q":"b"}\n'));
  assert.equal([...readRecords(input, {})].length, 2);
  assert.equal([...readRecords(input, {})].length, 2);
  input.close();
});

Deno.test("an input shorter than its journal is an error", async () => {
  using folder = temporaryFolder();
  const input = [{ role: "user", content: "b" }];
  folder.write(
    "out.jsonl",
    `${JSON.stringify({ index: 1, status: "success", output: "x", input })}\n`,
  );
  await assert.rejects(check(folder, '{"q":"a"}\n'), { code: "journal_mismatch", index: 1 });
});

Deno.test("a line that is not UTF-8 is invalid; one with a replacement character is not", async () => {
  using folder = temporaryFolder();
  const path = folder.file("in.jsonl");
  writeFileSync(path, Buffer.from('{"q":"fine \\ufffd \ufffd"}\n{"q":"caf\xe9"}\n', "latin1"));
  const latin = await openInput(path);
  const [first, second] = [...readRecords(latin, {})];
  latin.close();
  assert.ok("problem" in first || "index" in first);
  assert.match("problem" in second ? second.problem : "", /in\.jsonl:2: not UTF-8; convert it/);
  const { total } = await check(folder, '{"q":"fine \ufffd"}\n');
  assert.equal(total, 1);
});

Deno.test("each of several concatenated files may start with a byte order mark", async () => {
  using folder = temporaryFolder();
  const { total } = await check(folder, '\uFEFF{"q":"a"}\n\uFEFF{"q":"b"}\n');
  assert.equal(total, 2);
});

Deno.test("fields named like an option apply to their record and are not metadata", () => {
  const convert = (value: unknown, asMetadata: string[] = []) => {
    const converted = new RecordConverter({ asMetadata }).convert(value);
    if ("problem" in converted) return converted.problem;
    return [converted.record.options, converted.record.metadata];
  };
  const tools = [{ type: "function", function: { name: "f" } }];
  const format = { type: "json_schema", json_schema: { name: "s", schema: {} } };
  assert.deepEqual(
    convert({
      ...{ q: "a", id: 1, model: "m", temperature: 0.5, top_p: 1, top_k: 4, max_tokens: 9 },
      ...{ stop: ["x"], seed: -1, presence_penalty: 1, frequency_penalty: -1, thinking: "xhigh" },
      ...{ response_format: format, tools, tool_choice: "auto", parallel_tool_calls: false },
    }),
    [{
      ...{ model: "m", temperature: 0.5, topP: 1, topK: 4, maxTokens: 9, stop: ["x"], seed: -1 },
      ...{ presencePenalty: 1, frequencyPenalty: -1, thinking: "xhigh", responseFormat: format },
      ...{ tools, toolChoice: "auto", parallelToolCalls: false },
    }, { id: 1 }],
  );
  assert.deepEqual(convert({ q: "a", temperature: null, seed: 1 }), [{ seed: 1 }, undefined]);
  assert.deepEqual(convert({ q: "a", temperature: null }), [undefined, undefined]);
  assert.deepEqual(convert({ q: "a", model: 7, seed: 1 }, ["model"]), [{ seed: 1 }, { model: 7 }]);
  const cases: [object, string][] = [
    [{ temperature: "hot" }, 'temperature: expected a number, got "hot"'],
    [{ thinking: "Hm, well" }, 'got "Hm, well"; if this field is data, use --as-metadata thinking'],
    [{ model: "" }, 'model: expected a model name, got ""'],
    [{ max_tokens: 0 }, "max_tokens: expected an integer ≥ 1, got 0"],
    [{ stop: [1] }, "stop: expected a string or an array of strings, got [1]"],
    [{ max_tokens: 1, max_completion_tokens: 1 }, "this option is set twice"],
    [{ thinking: "very" }, 'or a number of tokens, got "very"'],
    [{ tools: [{ type: "function" }] }, "tools: expected an array of"],
    [{ tool_choice: "any" }, "tool_choice: expected"],
    [{ response_format: { type: "json_schema" } }, "response_format: expected an object"],
    [{ parallel_tool_calls: "true" }, 'parallel_tool_calls: expected true or false, got "true"'],
  ];
  for (const [fields, problem] of cases) {
    assert.ok(String(convert({ q: "a", ...fields })).includes(problem), problem);
  }
});

Deno.test("with a template, the fields of a result file are data, including `model`", () => {
  const result = {
    index: 0,
    output: "Yes",
    status: "success",
    input: [],
    model: "m",
    thinking: "Hm",
  };
  const converted = new RecordConverter({ template: new Template("Is it so? {{output}}", "t") })
    .convert(result);
  assert.deepEqual(converted, {
    record: {
      messages: [{ role: "user", content: "Is it so? Yes" }],
      metadata: result,
      options: undefined,
    },
  });
});

Deno.test("a metadata field can have any name", () => {
  const converted = new RecordConverter({}).convert(JSON.parse('{"q":"a","__proto__":{"x":1}}'));
  assert.equal(
    JSON.stringify("record" in converted && converted.record.metadata),
    '{"__proto__":{"x":1}}',
  );
});

Deno.test("a template renders the prompt and the system prompt from any object", async () => {
  using folder = temporaryFolder();
  const text = '{"doc":{"text":"A"},"lang":"fr","q":"unused"}\n{"doc":{},"lang":"de"}\n';
  const input = await openInput(folder.write("in.jsonl", text));
  const flags = { template: "Sum up: {{doc.text}}", system: "Answer in {{lang}}." };
  const [first, second] = [...readRecords(input, readOptions(input, flags))];
  input.close();
  assert.deepEqual(first, {
    index: 0,
    file: 0,
    line: 1,
    offset: 0,
    messages: [
      { role: "system", content: "Answer in fr." },
      { role: "user", content: "Sum up: A" },
    ],
    metadata: { doc: { text: "A" }, lang: "fr", q: "unused" },
    options: undefined,
  });
  assert.match(
    "problem" in second ? second.problem : "",
    /in\.jsonl:2: the template uses {{doc\.text}}.*, but the record's fields are "doc", "lang"$/,
  );
});

Deno.test("without a template, double braces in a system prompt are literal", async () => {
  using folder = temporaryFolder();
  const input = await openInput(folder.write("in.jsonl", '{"q":"a"}\n'));
  const [record] = [...readRecords(input, readOptions(input, { system: "{{x}}" }))];
  input.close();
  assert.ok("index" in record && record.messages[0].content === "{{x}}");
});

Deno.test("a hint suggests what a file with invalid lines may be", async () => {
  using folder = temporaryFolder();
  const cases: [string, RegExp][] = [
    ["q,n\na,1\n", /For a table, use --input-format csv or tsv/],
    ['"a\n"b"\n', /for one prompt per line, text/],
    ['{"v":1,"data":[{"q":"a"}]}\n', /items of "data" are the records, use --input-format json/],
  ];
  for (const [text, hint] of cases) await assert.rejects(check(folder, text), { hint });
});

Deno.test("shards contain each record once, numbered from 0 or from 1", async () => {
  using folder = temporaryFolder();
  await fc.assert(fc.asyncProperty(
    fc.integer({ min: 1, max: 9 }),
    fc.array(fc.constantFrom('{"q":"a"}', "", "  ", "bad", "\ufeff"), { maxLength: 30 }),
    async (count, lines) => {
      const input = await openInput(folder.write("in.jsonl", `${lines.join("\n")}\n`));
      const numbers = (from: number) => {
        const parts = Array.from({ length: count }, (_, i) => parseShard(`${from + i}/${count}`));
        return parts.flatMap((shard) =>
          [...readRecords(input, { shard })].map((record) =>
            "index" in record ? record.index : record.problem
          )
        );
      };
      const all = [...readRecords(input, {})].map((record) =>
        "index" in record ? record.index : record.problem
      ).sort();
      assert.deepEqual(numbers(0).sort(), all);
      assert.deepEqual(numbers(1).sort(), all);
      input.close();
    },
  ));
});

Deno.test("lines of other shards are not parsed, but have an index", async () => {
  using folder = temporaryFolder();
  const input = await openInput(folder.write("in.jsonl", 'bad\n{"q":"b"}\n\nbad\n{"q":"d"}\n'));
  const journal = await Journal.open(folder.file("out.jsonl"));
  const shard = { index: 1, count: 2 };
  const { lines, ...counts } = checkInput(input, journal, { shard });
  assert.deepEqual(counts, { total: 2, pending: 2, invalid: 0, answered: 0 });
  const pending = [...pendingRecords(input, { shard }, { lines })];
  assert.deepEqual(pending.map(({ index, location }) => [index, location]), [
    [1, `${input.name}:2`],
    [3, `${input.name}:5`],
  ]);
  assert.throws(() => checkInput(input, journal, { shard: { index: 0, count: 2 } }), {
    code: "invalid_input",
  });
  const empty = checkInput(input, journal, { shard: { index: 8, count: 9 } });
  assert.deepEqual([empty.total, empty.pending, empty.invalid], [0, 0, 0]);
  journal.close();
  input.close();
});

Deno.test("parseShard() accepts i/n with i from 1 to n, and 0/n", () => {
  assert.deepEqual(parseShard("0/1"), { index: 0, count: 1 });
  assert.deepEqual(parseShard("4/4"), { index: 0, count: 4 });
  for (const text of ["5/4", "0/0", "-1/4", "1", "1/4/2", "a/b", "1.5/4", ""]) {
    assert.equal(parseShard(text), undefined, text);
  }
});
