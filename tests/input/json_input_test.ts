/** JSON arrays, objects with an array, and prompts as lines of text. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { openInput } from "../../lib/input/input_file.ts";
import { readLinesSync } from "../../lib/files/lines.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { readInput } from "./read_input.ts";

Deno.test("the items of an array are records with their positions in the file", async () => {
  using folder = temporaryFolder();
  const text = '\ufeff[\r\n  {"q": "a"},\r\n  {"q":\r\n    "b"}, "c"\r\n]\r\n';
  const { records, notes } = await readInput(folder.write("in.json", text));
  assert.deepEqual(records, ["0 in.json:2:3: a", "1 in.json:3:3: b", "2 in.json:4:11: c"]);
  assert.deepEqual(notes, []);
  const oneLine = folder.write("line.json", '[{"q":"a"},{"q":"]},[{"}]');
  assert.deepEqual((await readInput(oneLine)).records, [
    "0 line.json:1:2: a",
    "1 line.json:1:12: ]},[{",
  ]);
});

Deno.test("an object that contains the array, several objects, or one record", async () => {
  using folder = temporaryFolder();
  const cases: [text: string, prompts: string[], notes: string[]][] = [
    [
      '{"version": "2.0", "data": [{"q":"a"}, {"q":"b"}], "n": [1]}',
      ["a", "b"],
      ['in.json: the records are the items of "data"'],
    ],
    [
      '{\n"names": ["x"],\n"rows": [\n{"q":"a"}]}',
      ["a"],
      ['in.json: the records are the items of "rows"'],
    ],
    ['{\n  "q": "a"\n}\n{\n  "q": "b"\n}\n', ["a", "b"], []],
    ['{"q": "a", "tags": ["x"]}', ["a"], []],
    ['{\n"messages": [{"role": "user", "content": "a"}]}', ["a"], []],
    ['{"q":"a"}\n{"q":"b"}\n', ["a", "b"], [
      "in.json has one object per line; it is read as JSONL",
    ]],
  ];
  for (const [text, prompts, notes] of cases) {
    const read = await readInput(folder.write("in.json", text));
    assert.deepEqual(read.records.map((record) => record.split(": ")[1]), prompts, text);
    assert.deepEqual(read.notes, notes, text);
  }
});

Deno.test("a hint says how to read a file whose first object alone is on one line", async () => {
  using folder = temporaryFolder();
  const path = folder.write("in.json", '{"q": "a"}\n{\n  "q": "b"\n}\n');
  await assert.rejects(readInput(path), {
    message: /in\.json:2:\d+: not valid JSON/,
    hint: /If its objects span several lines, use --input-format json\./,
  });
  const { records } = await readInput(path, { inputFormat: "json" });
  assert.equal(records.length, 2);
});

Deno.test("JSON in a file with another extension is recognized by its content", async () => {
  using folder = temporaryFolder();
  const array = await readInput(folder.write("in.jsonl", '[\n{"q":"a"}\n]'));
  assert.deepEqual(array.notes, ["in.jsonl is a JSON array; it is read as JSON"]);
  const pretty = await readInput(folder.write("in.jsonl", '{\n  "q": "a"\n}\n'));
  assert.deepEqual(pretty.records, ["0 in.jsonl:1:1: a"]);
  assert.match(pretty.notes[0], /^in\.jsonl has JSON objects that span several lines/);
  const unnamed = await readInput(folder.write("in", '[{"q":"a"}]'));
  assert.deepEqual(unnamed, { records: ["0 in:1:2: a"], notes: [] });
  await assert.rejects(
    readInput(folder.write("in.jsonl", '[{"q":"a"}]'), { inputFormat: "jsonl" }),
    /expected one object per line/,
  );
});

Deno.test("mistakes in JSON are reported with their position before anything is sent", async () => {
  using folder = temporaryFolder();
  const cases: [text: string, message: RegExp][] = [
    ['[\n{"q":"a"},\n{"q":\n  "b" "c"}\n]', /in\.json:4:7: not valid JSON \(comma expected\)/],
    ['[{"q":"a" x}]', /in\.json:1:11: not valid JSON/],
    ['[{"q":"a\nb"}]', /in\.json:1:\d+: not valid JSON/],
    ['[\n{"q":"a"}\n{"q":"b"}\n]', /in\.json:3:1: expected a comma or \] after an item/],
    ['[{"q":"a"},\n]', /in\.json:2:1: expected an item, got \]/],
    ['[,{"q":"a"}]', /in\.json:1:2: expected an item, got ,/],
    ['[{"q":"a"}]\n{"q":"b"}', /in\.json:2:1: expected nothing after the end of the array/],
    ['[{"q":"a"},\n{"q":"b', /in\.json:2:8: the file ends inside an item/],
    ['[{"q":"a"}\n', /in\.json:2:1: the file ends before the end of the array/],
    ['{"q":"a"} x', /in\.json:1:11: expected an object, got "x"/],
    ['{"a":[{"q":"x"}],"b":[{"q":"y"}]}', /is an object with several arrays: "a", "b"/],
    ['"text"', /expected a JSON array of records, or an object with one, got "\\"text\\""/],
    ["[]", /in\.json contains no records/],
    ["[1]", /in\.json:1:2: expected a JSON object, got 1/],
    ['[{"title":"x"}]', /in\.json:1:2: expected a field .*found "title"/],
  ];
  for (const [text, message] of cases) {
    await assert.rejects(readInput(folder.write("in.json", text)), { message }, text);
  }
  const { records } = await readInput(folder.write("in.json", '[{"q":"a"},{"q"},{"q":"c"}]'), {
    skipInvalid: true,
  });
  assert.deepEqual(records, ["0 in.json:1:2: a", "2 in.json:1:18: c"]);
});

Deno.test("any array is read item by item, unchanged", async () => {
  using folder = temporaryFolder();
  await fc.assert(fc.asyncProperty(
    fc.array(fc.jsonValue(), { maxLength: 20 }),
    fc.constantFrom(undefined, 1, "\t"),
    async (values, indent) => {
      // Numbers keep their spelling: this one is not a double.
      const text = JSON.stringify([...values, "id"], null, indent).replace(
        /"id"\s*\]$/,
        '{"id":1669700650467246081}]',
      );
      const input = await openInput(folder.write("in.json", text));
      const lines = [...readLinesSync(input.files[0].fd)].map(({ text }) =>
        text.replace(/^\d+:\d+ /, "")
      );
      input.close();
      assert.deepEqual(
        lines.slice(0, -1).map((line) => JSON.parse(line)),
        JSON.parse(text).slice(0, -1),
      );
      assert.equal(lines.at(-1), '{"id":1669700650467246081}');
    },
  ));
});

Deno.test("items longer than a chunk are copied whole", async () => {
  using folder = temporaryFolder();
  const long = "naïve ".repeat(500_000);
  const text = JSON.stringify([{ q: long }, { q: "b" }, { q: long }], null, 2);
  const { records } = await readInput(folder.write("in.json", text));
  assert.deepEqual(records.map((record) => record.length > 1000), [true, false, true]);
  assert.ok(records[2].endsWith(long));
});

Deno.test("each line of a text file is a prompt; blank lines have no index", async () => {
  using folder = temporaryFolder();
  const text = "\ufeffWhy?\r\n\n   \n  How? {not JSON}  \nLast";
  const path = folder.write("in.txt", text);
  assert.deepEqual((await readInput(path)).records, [
    "0 in.txt:1: Why?",
    "1 in.txt:4:   How? {not JSON}",
    "2 in.txt:5: Last",
  ]);
  const template = { template: "Translate: {{text}}" };
  assert.equal((await readInput(path, template)).records[0], "0 in.txt:1: Translate: Why?");
  const other = folder.write("in", "Why?\nHow?\n");
  await assert.rejects(readInput(other), { hint: /for one prompt per line, text/ });
  assert.equal((await readInput(other, { inputFormat: "text" })).records.length, 2);
});

Deno.test("a text file with JSON in it is an error, not a set of prompts", async () => {
  using folder = temporaryFolder();
  const jsonl = folder.write("in.txt", '{"q":"a"}\n{"q":"b"}\n');
  await assert.rejects(readInput(jsonl), {
    message: /in\.txt contains JSON, but its name says text/,
    hint: /--input-format jsonl, or text/,
  });
  assert.equal((await readInput(jsonl, { inputFormat: "jsonl" })).records[0], "0 in.txt:1: a");
  assert.equal(
    (await readInput(jsonl, { inputFormat: "text" })).records[0],
    '0 in.txt:1: {"q":"a"}',
  );
  await assert.rejects(readInput(folder.write("in.txt", '[\n"a"\n]')), { hint: /json, or text/ });
});
