/** Tables as input, as spreadsheets and other programs write them. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { writeFileSync } from "node:fs";
import fc from "fast-check";
import { type InputOptions, openInput } from "../../lib/input/input_file.ts";
import { type ReadFlags, readOptions } from "../../lib/input/read_options.ts";
import { readRecords } from "../../lib/input/records.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

/** The question and line of each record, or the problem of an invalid row. */
async function read(
  folder: TemporaryFolder,
  text: string | Buffer,
  flags: ReadFlags & InputOptions & { name?: string } = {},
) {
  const path = folder.file(flags.name ?? "in.csv");
  writeFileSync(path, text);
  const input = await openInput(path, flags);
  try {
    return [...readRecords(input, readOptions(input, flags))].map((record) =>
      "problem" in record
        ? record.problem.slice(record.problem.indexOf("in."))
        : [record.line, record.messages.at(-1)!.content, record.metadata]
    );
  } finally {
    input.close();
  }
}

Deno.test("a CSV file is read as spreadsheets write it", async () => {
  using folder = temporaryFolder();
  const text =
    '\ufeffid,q,note\r\n1,"Why, then?",a\r\n\r\n2,"two\r\nlines, ""so""",\r\n,,\r\n3,last,c';
  assert.deepEqual(await read(folder, text), [
    [2, "Why, then?", { id: "1", note: "a" }],
    [4, 'two\r\nlines, "so"', { id: "2", note: "" }],
    [7, "last", { id: "3", note: "c" }],
  ]);
});

Deno.test("the delimiter is detected in the first line, given, or a tab in TSV", async () => {
  using folder = temporaryFolder();
  for (const delimiter of [",", ";", "\t", "|"]) {
    const text = `"a;,|b"${delimiter}q\n1${delimiter}why\n`;
    assert.deepEqual(await read(folder, text), [[2, "why", { "a;,|b": "1" }]]);
  }
  assert.deepEqual(await read(folder, "q:a\nwhy:1\n", { delimiter: ":" }), [[2, "why", {
    a: "1",
  }]]);
  assert.deepEqual(await read(folder, "q\ta,b\nwhy\t1\n", { name: "in.TSV" }), [
    [2, "why", { "a,b": "1" }],
  ]);
  const given = { name: "in.txt", inputFormat: "csv" } as const;
  assert.deepEqual(await read(folder, "q\nwhy\n", given), [[2, "why", undefined]]);
});

Deno.test("rows with missing or extra cells are invalid and have an index", async () => {
  using folder = temporaryFolder();
  assert.deepEqual(await read(folder, "q,n\na,1\nb\nc,3,4\nd,5\n"), [
    [2, "a", { n: "1" }],
    "in.csv:3: expected 2 cells, as in the first line, got 1",
    "in.csv:4: expected 2 cells, as in the first line, got 3",
    [5, "d", { n: "5" }],
  ]);
});

Deno.test("a row that is not UTF-8 is invalid; one with a replacement character is not", async () => {
  using folder = temporaryFolder();
  const text = Buffer.from("q,n\ncaf\xe9,1\nok,2\n", "latin1");
  assert.deepEqual(await read(folder, text), [
    "in.csv:2: not UTF-8; convert it first: iconv -f latin1 (or utf-16) -t utf-8",
    [3, "ok", { n: "2" }],
  ]);
  assert.deepEqual(await read(folder, "q\n\ufffd\n"), [[2, "\ufffd", undefined]]);
});

Deno.test("misplaced quotes are an error with a line number, unless quotes are ordinary text", async () => {
  using folder = temporaryFolder();
  const before = 'q,n\r\n"one\r\n\r\nrow",1\r\n\r\n';
  const cases: [string, RegExp][] = [
    ['say "hi",2\n', /in\.csv:6: a quote \("\) inside an unquoted cell/],
    ['"say "hi",2\n', /in\.csv:6: text after the closing quote of a cell/],
    ['"say hi,2\nmore,3\n', /in\.csv:6: a quote in this row is never closed/],
  ];
  for (const [row, message] of cases) {
    await assert.rejects(read(folder, before + row), {
      code: "invalid_input",
      message,
      hint: /Double the quotes.*--no-quotes/,
    });
  }
  assert.deepEqual(await read(folder, 'q\tn\n"say "hi"\t2\n', { name: "in.tsv", quotes: false }), [
    [2, '"say "hi"', { n: "2" }],
  ]);
});

Deno.test("columns need unique names, and a table needs rows", async () => {
  using folder = temporaryFolder();
  const cases: [string, RegExp][] = [
    [",q\n0,a\n", /in\.csv:1: column 1 of 2 has no name/],
    ["q,a,q\n", /in\.csv:1: two columns are named "q"/],
    ["", /in\.csv contains no records/],
    ["\ufeff\n\n", /in\.csv contains no records/],
    ["id,text\n1,a\n", /expected a column "q", .* found "id", "text"/],
  ];
  for (const [text, message] of cases) await assert.rejects(read(folder, text), { message });
});

Deno.test("templates can only use columns of the table", async () => {
  using folder = temporaryFolder();
  const text = "id, text \n1,a\n";
  const template = "Sum up: {{text}}";
  assert.deepEqual(await read(folder, text, { template }), [
    [2, "Sum up: a", { id: "1", text: "a" }],
  ]);
  await assert.rejects(read(folder, text, { template: "{{tetx}}" }), {
    message: /uses {{tetx}} \(did you mean {{text}}\?\), but the columns of .* are "id", "text"/,
  });
  await assert.rejects(read(folder, text, { template, system: "{{language}}" }), {
    message: /uses {{language}}, but the columns/,
  });
});

Deno.test("option columns are converted to their types, unless the template uses them", async () => {
  using folder = temporaryFolder();
  const table = "q,model,temperature,max_tokens,stop,thinking,parallel_tool_calls,tool_choice\n";
  const options = async (row: string, flags: ReadFlags = {}) => {
    const input = await openInput(folder.write("in.csv", `${table}${row}\n`));
    const [record] = [...readRecords(input, readOptions(input, flags))];
    input.close();
    return "problem" in record ? record.problem : [record.options, record.metadata];
  };
  assert.match(String(await options("a,,,,,LOW,,")), /in\.csv:2: thinking: .* got "LOW"/);
  assert.deepEqual(await options("a,7, .5 ,1e2,0,low,TRUE,none"), [{
    model: "7",
    temperature: 0.5,
    maxTokens: 100,
    stop: "0",
    thinking: "low",
    parallelToolCalls: true,
    toolChoice: "none",
  }, undefined]);
  assert.deepEqual(await options("a,,,,,,,"), [undefined, undefined]);
  assert.match(String(await options('a,,"0,5",,,,,')), /in\.csv:2: temperature: .* got "0,5"/);
  const row =
    'a,Golf,,,"[""x"",""y""]",512,false,"{""type"":""function"",""function"":{""name"":""f""}}"';
  assert.deepEqual(await options(row, { template: "A car: {{model}}", asMetadata: ["stop"] }), [{
    thinking: 512,
    parallelToolCalls: false,
    toolChoice: { type: "function", function: { name: "f" } },
  }, { q: "a", model: "Golf", stop: '["x","y"]' }]);
});

Deno.test("cells with any content are read, with the line number of their row", async () => {
  using folder = temporaryFolder();
  const cell = fc.string({
    unit: fc.oneof(
      fc.constantFrom('"', ",", ";", "\n", "\r\n", "\ufffd", "{{", "\\"),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
    ),
  });
  const table = fc.integer({ min: 1, max: 4 }).chain((width) =>
    fc.array(
      fc.array(cell, { minLength: width, maxLength: width })
        .filter((cells) => cells.some((each) => each.trim() !== "")),
      { minLength: 1 },
    )
  );
  const quoted = (text: string, always: boolean) =>
    always || /["\r\n,;\t|]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  await fc.assert(fc.asyncProperty(
    table,
    fc.constantFrom(",", ";", "\t"),
    fc.constantFrom("\n", "\r\n"),
    fc.boolean(),
    async (rows, delimiter, end, always) => {
      const header = rows[0].map((_, i) => `c${i}`);
      const all = [header, ...rows];
      const lines = all.map((cells) => cells.map((each) => quoted(each, always)).join(delimiter));
      const records = await read(folder, lines.join(end), { template: "> {{c0}}", delimiter });
      let line = 1;
      const expected = rows.map((cells, i) => {
        line += all[i].join("").split("\n").length;
        return [line, `> ${cells[0]}`, Object.fromEntries(cells.map((each, k) => [`c${k}`, each]))];
      });
      assert.deepEqual(records, expected);
    },
  ));
});

Deno.test("a cell of 5 MB is read whole", async () => {
  using folder = temporaryFolder();
  const long = 'naïve "text",\n'.repeat(400_000);
  const [first, second] = await read(folder, `q\n"${long.replaceAll('"', '""')}"\nb\n`);
  assert.deepEqual([first, second], [[2, long, undefined], [400_003, "b", undefined]]);
});

Deno.test("other kinds of files are recognized by content, not by name", async () => {
  using folder = temporaryFolder();
  const utf16 = Buffer.from("\ufeffq,n\n", "utf16le");
  const cases: [Buffer | string, RegExp, RegExp][] = [
    ["PK\x03\x04", /is a spreadsheet \(\.xlsx\) or a zip archive/, /Save the sheet as "CSV UTF-8"/],
    ["BZh91AY", /is compressed with bzip2/, /bunzip2 -k /],
    ["version https://git-lfs.github.com/spec/v1\n", /is a Git LFS pointer/, /git lfs pull/],
    [utf16, /is UTF-16, not UTF-8/, /iconv -f utf-16 -t utf-8 /],
  ];
  for (const name of ["in.csv", "in.jsonl"]) {
    for (const [content, message, hint] of cases) {
      await assert.rejects(read(folder, content, { name }), {
        code: "invalid_input",
        message,
        hint,
      });
    }
  }
});
