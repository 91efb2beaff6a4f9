/** Inputs that are compressed with gzip or zstd. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { writeFileSync } from "node:fs";
import zlib from "node:zlib";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";
import { readInput } from "./read_input.ts";

const LINES = Array.from(
  { length: 30_000 },
  (_, i) => `{"q":"Question ${i} ${i * 7919 % 10007}"}\n`,
)
  .join("");
const CHECKSUM = { params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } };

function zstd(text: string | Buffer): Buffer {
  return zlib.zstdCompressSync(Buffer.from(text), CHECKSUM);
}

function writeBytes(folder: TemporaryFolder, name: string, bytes: Buffer): string {
  writeFileSync(folder.file(name), bytes);
  return folder.file(name);
}

Deno.test("compressed files of every format are read like their content", async () => {
  using folder = temporaryFolder();
  const contents: [name: string, text: string][] = [
    ["in.jsonl", '{"q":"a"}\n\n{"q":"b"}\n'],
    ["in.csv", "q,n\na,1\nb,2\n"],
    ["in.json", '[{"q":"a"},\n{"q":"b"}]'],
    ["in.txt", "a\n\nb\n"],
  ];
  for (const [name, text] of contents) {
    const { records } = await readInput(folder.write(name, text));
    for (const [extension, compress] of [["gz", zlib.gzipSync], ["zst", zstd]] as const) {
      const path = writeBytes(folder, `${name}.${extension}`, compress(text));
      const read = await readInput(path);
      assert.deepEqual(
        read.records,
        records.map((record) => record.replace(name, `${name}.${extension}`)),
      );
    }
  }
  const unnamed = writeBytes(folder, "in.jsonl", zlib.gzipSync('{"q":"a"}\n'));
  assert.deepEqual((await readInput(unnamed)).records, ["0 in.jsonl:1: a"]);
});

Deno.test("archives of several members or frames are read to the end", async () => {
  using folder = temporaryFolder();
  const gzip = [zlib.gzipSync('{"q":"a"}\n'), zlib.gzipSync('{"q":"b"}\n')];
  const skippable = Buffer.from("502a4d180300000001020350", "hex").subarray(0, 11);
  const frames = [skippable, zstd('{"q":"a"}\n'), skippable, zstd(""), zstd('{"q":"b"}\n')];
  for (const [name, parts] of [["in.jsonl.gz", gzip], ["in.jsonl.zst", frames]] as const) {
    const { records } = await readInput(writeBytes(folder, name, Buffer.concat(parts)));
    assert.deepEqual(records, [`0 ${name}:1: a`, `1 ${name}:2: b`]);
  }
});

Deno.test("truncated and damaged archives are errors", async () => {
  using folder = temporaryFolder();
  for (
    const [name, bytes] of [["in.jsonl.gz", zlib.gzipSync(LINES)], [
      "in.jsonl.zst",
      zstd(LINES),
    ]] as const
  ) {
    for (const length of [bytes.length - 1, bytes.length - 5, bytes.length >> 1, 12, 4]) {
      const path = writeBytes(folder, name, bytes.subarray(0, length));
      await assert.rejects(readInput(path), {
        code: "invalid_input",
        message: /is truncated: the (gzip|zstd) data ends too early$/,
        hint: /Nothing was sent\. .*(gzip|zstd) -t tests it/,
      });
    }
    if (name.endsWith(".gz")) {
      const path = writeBytes(folder, name, bytes.subarray(0, 2));
      await assert.rejects(readInput(path), { message: /in\.jsonl\.gz is truncated/ });
    }
    for (const position of [bytes.length >> 1, bytes.length - 300, bytes.length - 3]) {
      const damaged = Buffer.from(bytes);
      damaged[position] ^= 0xff;
      await assert.rejects(readInput(writeBytes(folder, name, damaged)), {
        message: /in\.jsonl\.(gz|zst) is (damaged|truncated)/,
      });
    }
    const more = Buffer.concat([bytes, Buffer.from("more text")]);
    await assert.rejects(readInput(writeBytes(folder, name, more)), { message: /is damaged: / });
  }
});

Deno.test("archives inside archives are named", async () => {
  using folder = temporaryFolder();
  const tar = Buffer.alloc(1024);
  tar.write("ustar", 257);
  await assert.rejects(readInput(writeBytes(folder, "in.tar.gz", zlib.gzipSync(tar))), {
    message: /in\.tar\.gz is a tar archive/,
    hint: /tar -xf/,
  });
  const twice = writeBytes(folder, "in.gz", zlib.gzipSync(zlib.gzipSync(LINES)));
  await assert.rejects(readInput(twice), /in\.gz is compressed with gzip/);
});
