/** Parquet files as inputs. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { writeFileSync } from "node:fs";
import { type ColumnSource, parquetWriteBuffer } from "hyparquet-writer";
import { readLinesSync } from "../../lib/files/lines.ts";
import { openInput } from "../../lib/input/input_file.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { readInput } from "./read_input.ts";

type Writing = Omit<Parameters<typeof parquetWriteBuffer>[0], "columnData">;

function parquet(columnData: ColumnSource[], options: Writing = {}): Buffer {
  return Buffer.from(parquetWriteBuffer({ columnData, ...options }));
}

/** The rows of a file as JSON. */
async function rowsOf(path: string): Promise<string[]> {
  const input = await openInput(path);
  try {
    return [...readLinesSync(input.files[0].fd)].map(({ text }) => text);
  } finally {
    input.close();
  }
}

Deno.test("rows become records, with the columns as fields", async () => {
  using folder = temporaryFolder();
  const path = folder.file("in.parquet");
  const messages = [
    [{ role: "user", content: "One", name: null }],
    [{ role: "user", content: "Two", name: "Ann" }],
  ];
  writeFileSync(path, parquet([{ name: "messages", data: messages, type: "JSON" }]));
  assert.deepEqual((await readInput(path)).records, [
    "0 in.parquet, row 1: One",
    "1 in.parquet, row 2: Two",
  ]);
  writeFileSync(path, parquet([{ name: "review", data: ["Good", "Bad"], type: "STRING" }]));
  const read = await readInput(path, { template: "Mood? {{review}}" });
  assert.deepEqual(read.records, [
    "0 in.parquet, row 1: Mood? Good",
    "1 in.parquet, row 2: Mood? Bad",
  ]);
  await assert.rejects(readInput(path), {
    message: /in\.parquet, row 1: expected a field .*found "review"\n… and 1 more$/,
    hint: /Set the prompt: --template "… {{review}} …"/,
  });
});

Deno.test("values are exact: integers, times, JSON; nested nulls are left out", async () => {
  using folder = temporaryFolder();
  const path = folder.file("in.parquet");
  writeFileSync(
    path,
    parquet([
      { name: "id", data: [1669700650467246081n, -1n, null], type: "INT64", nullable: true },
      { name: "at", data: [new Date("2024-01-01T01:02:03.120Z"), null, new Date(0)] },
      { name: "score", data: [0.1, NaN, Infinity], type: "DOUBLE" },
      { name: "ok", data: [true, false, true], type: "BOOLEAN" },
      { name: "json", data: [{ a: [1, { b: null }] }, [], "x"], type: "JSON" },
      {
        name: "bytes",
        data: [Buffer.from("text"), Buffer.from("89504eff", "hex"), Buffer.from("é")],
      },
      { name: "bom", data: ["\ufeffa", "", "日本"], type: "STRING" },
    ]),
  );
  assert.deepEqual(await rowsOf(path), [
    '{"id":1669700650467246081,"at":"2024-01-01T01:02:03.12Z","score":0.1,"ok":true,' +
    '"json":{"a":[1,{}]},"bytes":"text","bom":"\ufeffa"}',
    '{"id":-1,"at":null,"score":null,"ok":false,"json":[],"bom":""}',
    '{"id":null,"at":"1970-01-01T00:00:00Z","score":null,"ok":true,"json":"x","bytes":"é",' +
    '"bom":"日本"}',
  ]);
  const input = await openInput(path);
  assert.match(input.files[0].notes![0], /in\.parquet: binary values are left out: "bytes"$/);
  input.close();
});

Deno.test("times of day are written as ISO 8601", async () => {
  using folder = temporaryFolder();
  const path = folder.file("in.parquet");
  const time = 3_723_000;
  const schema: Writing["schema"] = [
    { name: "root", num_children: 4 },
    { name: "a", type: "INT32", converted_type: "TIME_MILLIS", repetition_type: "OPTIONAL" },
    { name: "b", type: "INT64", converted_type: "TIME_MICROS", repetition_type: "REQUIRED" },
    {
      name: "c",
      type: "INT64",
      logical_type: { type: "TIME", isAdjustedToUTC: true, unit: "NANOS" },
      repetition_type: "REQUIRED",
    },
    { name: "n", type: "INT64", repetition_type: "REQUIRED" },
  ];
  const columns = [
    { name: "a", data: [time, null, time + 5, time] },
    { name: "b", data: [0n, 3_723_000_010n, 86_399_999_999n, 0n] },
    { name: "c", data: [1n, 2n, 3_000_000_000n, 1n] },
    { name: "n", data: [1n, 2n, 3n, 4n] },
  ];
  writeFileSync(path, parquet(columns, { schema }));
  assert.deepEqual(await rowsOf(path), [
    '{"a":"01:02:03","b":"00:00:00","c":"00:00:00.000000001","n":1}',
    '{"a":null,"b":"01:02:03.00001","c":"00:00:00.000000002","n":2}',
    '{"a":"01:02:03.005","b":"23:59:59.999999","c":"00:00:03","n":3}',
    '{"a":"01:02:03","b":"00:00:00","c":"00:00:00.000000001","n":4}',
  ]);
});

Deno.test("row groups and pages of any size give the same rows", async () => {
  using folder = temporaryFolder();
  const count = 1200;
  const texts = Array.from({ length: count }, (_, i) => `Text ${i} ${"x".repeat(i % 97)}`);
  const lists = texts.map((text, i) =>
    i % 5 === 0 ? [] : Array.from({ length: i % 40 }, (_, j) => `${text} ${j}`)
  );
  const schema: Writing["schema"] = [
    { name: "root", num_children: 2 },
    { name: "q", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" },
    { name: "tags", converted_type: "LIST", repetition_type: "OPTIONAL", num_children: 1 },
    { name: "list", repetition_type: "REPEATED", num_children: 1 },
    { name: "element", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
  ];
  const columns = [{ name: "q", data: texts }, { name: "tags", data: lists }];
  const expected = texts.map((q, i) => JSON.stringify({ q, tags: lists[i] }));
  for (const rowGroupSize of [100, 1000, count]) {
    for (const pageSize of [500, 1 << 20]) {
      const path = folder.file("in.parquet");
      writeFileSync(path, parquet(columns, { schema, rowGroupSize, pageSize } as Writing));
      assert.deepEqual(await rowsOf(path), expected, `${rowGroupSize} rows, ${pageSize} bytes`);
    }
  }
});

Deno.test("truncated, damaged and misnamed files are errors", async () => {
  using folder = temporaryFolder();
  const bytes = parquet([{ name: "q", data: Array(1000).fill("What is it?"), type: "STRING" }]);
  const path = folder.file("in.parquet");
  for (const length of [bytes.length - 1, bytes.length >> 1, 6]) {
    writeFileSync(path, bytes.subarray(0, length));
    await assert.rejects(readInput(path), {
      code: "invalid_input",
      message: /cannot read the Parquet file .*in\.parquet: /,
      hint: /Nothing was sent\. The file may be truncated or damaged/,
    });
  }
  writeFileSync(path, '{"q":"a"}\n');
  await assert.rejects(readInput(path), /in\.parquet is not a Parquet file/);
  writeFileSync(folder.file("in.jsonl"), bytes);
  assert.equal((await readInput(folder.file("in.jsonl"))).records.length, 1000);
  await assert.rejects(readInput(folder.file("in.jsonl"), { inputFormat: "csv" }), {
    message: /in\.jsonl is a Parquet file, not csv/,
  });
});
