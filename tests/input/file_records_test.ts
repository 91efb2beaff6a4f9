import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import process from "node:process";
import { Journal } from "../../lib/batch/journal/journal.ts";
import { checkInput } from "../../lib/input/check_input.ts";
import {
  type FileRecordOptions,
  isFileRecordInput,
  openFileRecords,
} from "../../lib/input/file_records.ts";
import { openInput } from "../../lib/input/input_file.ts";
import { readOptions } from "../../lib/input/read_options.ts";
import { pendingRecords, readRecords } from "../../lib/input/records.ts";
import type { Selection } from "../../lib/input/selection.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

const PNG = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
const PDF = Buffer.from("%PDF-1.7\n");

/** A temporary folder that is the current directory until the end of the test. */
function currentFolder(files: Record<string, string | Uint8Array> = {}): TemporaryFolder {
  const folder = temporaryFolder();
  const before = process.cwd();
  process.chdir(folder.path);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(folder.file(name.includes("/") ? name.slice(0, name.lastIndexOf("/")) : "."), {
      recursive: true,
    });
    writeFileSync(folder.file(name), content);
  }
  return {
    ...folder,
    [Symbol.dispose]() {
      process.chdir(before);
      folder[Symbol.dispose]();
    },
  };
}

/** The records and problems of an input. */
async function read(paths: string[], options: FileRecordOptions = { template: "Describe this." }) {
  const input = await openInput(paths, { ...options, inputFormat: "files" });
  try {
    return [...readRecords(input, readOptions(input, options))];
  } finally {
    input.close();
  }
}

/** The paths of the records, and the problems. */
async function listed(paths: string[], options?: FileRecordOptions): Promise<string[]> {
  return (await read(paths, options)).map((record) =>
    "problem" in record ? record.problem : String(record.metadata!.file)
  );
}

async function userMessages(paths: string[], options?: FileRecordOptions): Promise<unknown[]> {
  return (await read(paths, options)).map((record) =>
    "problem" in record ? record.problem : record.messages.at(-1)!.content
  );
}

Deno.test("folders, patterns and media are records; data files and lists of prompts contain them", () => {
  using _ = currentFolder({
    "photos/a.jpg": PNG,
    "mixed/a.jsonl": "{}",
    "mixed/b.md": "x",
    "data/a.jsonl": "{}",
    "data/b.csv.gz": "x",
    "data/.hidden.md": "x",
    "a.png": PNG,
    "image": PNG,
    "a.pdf": PDF,
    "a.md": "# Hi",
    "a.py": "x = 1",
    "a.txt": "one\ntwo\n",
    "list": "x",
    "a.log": '\uFEFF{"q": "x"}\n',
    "a.parquet": "PAR1",
  });
  mkdirSync("empty");
  const files = ["photos", "photos/", "empty", "mixed", "mixed/*", "*.md", "*.txt", "*.{jpg,png}"];
  for (const path of [...files, "**", "none/*.jpg", "a.png", "image", "a.pdf", "a.md", "a.py"]) {
    assert.equal(isFileRecordInput([path]), true, path);
  }
  const data = [
    "-",
    "none.jsonl",
    "data",
    "data/*",
    "**/*.jsonl",
    "shards/*.jsonl.gz",
    "a.parquet",
  ];
  for (const path of [...data, "a.txt", "list", "a.log", "data/a.jsonl", "none.md"]) {
    assert.equal(isFileRecordInput([path]), false, path);
  }
  assert.equal(isFileRecordInput(["a.png", "a.md", "photos"]), true);
  assert.equal(isFileRecordInput(["a.txt", "data/a.jsonl"]), false);
  assert.equal(isFileRecordInput([]), false);
  assert.throws(() => isFileRecordInput(["a.png", "data/a.jsonl"]), {
    code: "configuration",
    message: "data/a.jsonl contains records, but a.png is a record itself",
    hint: /--input-format files/,
  });
});

Deno.test("each file is a record with the prompt, in the order of paths", async () => {
  using _ = currentFolder({
    "in/b.png": PNG,
    "in/a.md": "# Notes\n",
    "in/c.pdf": PDF,
    "in/d.mp3": Buffer.from("ID3\x04\0"),
    "in/.DS_Store": "\0",
    "in/sub/e.png": PNG,
  });
  const prompt = { type: "text", text: "Describe this." };
  const image = { type: "image_url", image_url: { url: "in/b.png" } };
  const expected = [
    '<file name="a.md">\n# Notes\n</file>\n\nDescribe this.',
    [image, prompt],
    [{ type: "file", file: { file_data: "in/c.pdf", filename: "c.pdf" } }, prompt],
    [{ type: "input_audio", input_audio: { data: "in/d.mp3" } }, prompt],
  ];
  for (const paths of [["in"], ["./in/"], ["in/*"], ["in/d.mp3", "in/*.{md,png}", "in/[a-c]*"]]) {
    assert.deepEqual(await userMessages(paths), expected, paths.join());
  }
  assert.deepEqual(await listed(["in/**"]), [
    ...["in/a.md", "in/b.png", "in/c.pdf", "in/d.mp3", "in/sub/e.png"],
  ]);
  const [, record] = await read(["in"]);
  assert.ok("messages" in record);
  assert.deepEqual([record.index, record.metadata], [1, { file: "in/b.png" }]);
});

Deno.test("templates have the path, the name and the text, which is then not attached", async () => {
  using folder = currentFolder({ "in/a.md": "# Notes", "in/b.png": PNG });
  const options = { template: "{{name}} at {{file}}: {{text}}", system: "You read {{name}}." };
  const [text, image] = await read(["in"], options);
  assert.ok("messages" in text);
  assert.deepEqual(text.messages, [
    { role: "system", content: "You read a.md." },
    { role: "user", content: "a.md at in/a.md: # Notes" },
  ]);
  assert.ok("problem" in image);
  assert.equal(image.problem, "in/b.png is not text, but the template uses {{text}}");
  folder.write("prompt.txt", "Look at {{name}}.\n");
  const [, fromFile] = await userMessages(["in"], { template: "@prompt.txt" });
  assert.deepEqual((fromFile as { text: string }[])[1].text, "Look at b.png.");
  // Without a template, the system prompt is the prompt.
  const [, only] = await read(["in"], { system: "Describe {{name}}." });
  assert.ok("messages" in only);
  assert.deepEqual(only.messages, [
    { role: "system", content: "Describe {{name}}." },
    { role: "user", content: [{ type: "image_url", image_url: { url: "in/b.png" } }] },
  ]);
  await assert.rejects(openFileRecords(["in"], { template: "{{nam}}" }), {
    message: /\{\{nam\}\} \(did you mean \{\{name\}\}\?\), but the fields of a file are "file"/,
  });
  for (const none of [{}, { system: "" }]) {
    await assert.rejects(openFileRecords(["in"], none), {
      code: "configuration",
      message: "no prompt for the files of in",
      hint: /--template "Describe this\."/,
    });
  }
});

Deno.test("files that cannot be sent are problems with their name, and keep their index", async () => {
  using _ = currentFolder({
    "in/a.heic": Buffer.from("\0\0\0\x18ftypheic", "latin1"),
    "in/b.zip": "PK\x03\x04",
    "in/c.txt": Buffer.from("caf\xe9", "latin1"),
    "in/d.md": "",
    "in/e.md": "fine",
    "in/f.pdf": PDF,
    "in/g.txt": "x".repeat(9 * 1024 * 1024),
  });
  truncateSync("in/f.pdf", 33 * 1024 * 1024);
  if (process.platform !== "win32") {
    symlinkSync("none", "in/h.png");
    execFileSync("mkfifo", ["in/i.png"]);
  }
  const records = await read(["in"]);
  const patterns = [
    /^in\/a\.heic is a HEIC photo.*magick in\/a\.heic in\/a\.jpg$/,
    /^in\/b\.zip is a ZIP archive/,
    /^in\/c\.txt is not text in UTF-8\. .*iconv -f latin1/,
    /^in\/d\.md is empty$/,
    undefined,
    /^in\/f\.pdf has 33\.0 MB, more than the 32\.0 MB/,
    /^in\/g\.txt has 9\.0 MB, more than the 4\.0 MB/,
    /^cannot read in\/h\.png: it does not exist$/,
    /^in\/i\.png is not a regular file$/,
  ];
  for (const [i, record] of records.entries()) {
    const pattern = patterns[i];
    if (pattern === undefined) assert.ok("messages" in record && record.index === 4);
    else assert.match("problem" in record ? record.problem : "", pattern);
  }
  assert.equal(records.length, process.platform === "win32" ? 7 : 9);
});

Deno.test("missing inputs are errors that say what would match", async () => {
  using folder = currentFolder({ "in/sub/a.png": PNG });
  const cases: [string, RegExp, RegExp | undefined][] = [
    ["none.png", /the input file none\.png does not exist/, undefined],
    ["in/*.png", /no file matches in\/\*\.png/, /\*\* matches any folders/],
    ["in", /the folder in has no files/, /'in\/\*\*'/],
  ];
  for (const [path, message, hint] of cases) {
    await assert.rejects(openFileRecords([path], { template: "x" }), (error: Error) => {
      assert.match(error.message, message);
      if (hint !== undefined) assert.match((error as { hint?: string }).hint ?? "", hint);
      return true;
    });
  }
  assert.deepEqual(await listed(["in/**"]), ["in/sub/a.png"]);
  assert.deepEqual(await listed([folder.file("in/**")]), [folder.file("in/sub/a.png")]);
});

Deno.test("the result file is not a record, nor are the files that belong to it", async () => {
  using _ = currentFolder({
    "a.png": PNG,
    "out.jsonl": "{}",
    "out.jsonl.state": "{}",
    "out.jsonl.lock": "x",
    "out.jsonl.events": "{}",
    "out.jsonl2.png": PNG,
  });
  const options = { template: "x", output: "out.jsonl" };
  for (const path of [".", "*", "./*", `${process.cwd()}/*`]) {
    const names = (await listed([path], options)).map((file) => file.split("/").at(-1));
    assert.deepEqual(names, ["a.png", "out.jsonl2.png"], path);
  }
});

Deno.test("names that look like URLs or base64 are sent as paths", async () => {
  if (process.platform === "win32") return;
  using _ = currentFolder({ "data:x.png": PNG, "iVBORw0KGgo": PNG, "http:a.png": PNG });
  const urls = (await userMessages(["."])).map((content) =>
    (content as { image_url?: { url: string } }[])[0].image_url?.url
  );
  assert.deepEqual(urls, ["./data:x.png", "./http:a.png", "./iVBORw0KGgo"]);
});

/** The content hash of the only file in `in`. */
async function hash(): Promise<string | undefined> {
  const [record] = await read(["in"]);
  assert.ok("messages" in record);
  return record.contentHash;
}

Deno.test("the content of a file identifies it, whatever its date", async () => {
  using folder = currentFolder({ "in/a.png": Buffer.concat([PNG, Buffer.alloc(300_000, 1)]) });
  const path = folder.file("in/a.png");
  const original = await hash();
  assert.match(original ?? "", /^300016-[0-9a-f]+$/);
  utimesSync(path, 1, 1);
  assert.equal(await hash(), original);
  const edits: [string, (bytes: Buffer) => Buffer][] = [
    ["the first bytes", (bytes) => (bytes[20] ^= 1, bytes)],
    ["the last byte", (bytes) => (bytes[bytes.length - 1] ^= 1, bytes)],
    ["the size", (bytes) => Buffer.concat([bytes, Buffer.alloc(1)])],
  ];
  for (const [what, edit] of edits) {
    writeFileSync(path, edit(Buffer.concat([PNG, Buffer.alloc(300_000, 1)])));
    assert.notEqual(await hash(), original, what);
  }
});

Deno.test("a single changed sample of uncompressed audio is noticed", async () => {
  const wav = Buffer.concat([
    Buffer.from("RIFF\x24\0\0\0WAVEfmt ", "latin1"),
    Buffer.alloc(500_000),
  ]);
  using folder = currentFolder({ "in/a.wav": wav });
  const original = await hash();
  for (const position of [100_000, 250_000, 400_000]) {
    const edited = Buffer.from(wav);
    edited[position] = 1;
    writeFileSync(folder.file("in/a.wav"), edited);
    assert.notEqual(await hash(), original);
  }
});

Deno.test("a result file knows changed files, and new ones after the others are no change", async () => {
  using folder = currentFolder({ "in/b.png": PNG, "in/c.md": "text" });
  const options = { template: "x", output: "out.jsonl" };
  const check = async (rerunChanged = false) => {
    const input = await openInput("in", options);
    const journal = await Journal.open("out.jsonl");
    try {
      const { total, pending } = checkInput(input, journal, {
        ...readOptions(input, options),
        rerunChanged,
      });
      return [total, pending];
    } finally {
      journal.close();
      input.close();
    }
  };
  const lines = (await read(["in"], options)).map((record) => {
    assert.ok("messages" in record);
    const { index, messages, metadata, contentHash } = record;
    const line = { index, output: "o", status: "success", input: messages, metadata };
    return JSON.stringify({ ...line, content_hash: contentHash });
  });
  writeFileSync("out.jsonl", `${lines.join("\n")}\n`);
  assert.deepEqual(await check(), [2, 0]);
  writeFileSync(folder.file("in/d.png"), PNG);
  assert.deepEqual(await check(), [3, 1]);
  writeFileSync(folder.file("in/b.png"), Buffer.concat([PNG, PNG]));
  await assert.rejects(check(), {
    code: "journal_mismatch",
    message: /record 0 differs \(in\/b\.png\)/,
    hint: /The file or the prompt was changed[^]*--rerun-changed/,
  });
  assert.deepEqual(await check(true), [3, 2]);
  writeFileSync(folder.file("in/b.png"), PNG);
  writeFileSync(folder.file("in/a.png"), PNG);
  await assert.rejects(check(), /record 0 differs \(in\/a\.png\)/);
});

Deno.test("files that the selection leaves out are not read", async () => {
  const contents = Array.from({ length: 10 }, (_, i) => [`in/${i}.md`, i === 1 ? "" : `text ${i}`]);
  using folder = currentFolder(Object.fromEntries(contents));
  const options = { template: "{{text}}", output: "out.jsonl", skipInvalid: true };
  const journalLines = [0, 2, 3, 9].map((index) =>
    JSON.stringify({
      index,
      output: "o",
      status: index === 9 ? "error" : "success",
      input: [{ role: "user", content: `text ${index}` }],
    })
  );
  folder.write("out.jsonl", `${journalLines.join("\n")}\n`);
  const selections: [Selection, string[]][] = [
    [{}, ["text 4", "text 5", "text 6", "text 7", "text 8", "text 9"]],
    [{ limit: 4 }, ["text 4"]],
    [{ limit: 9 }, ["text 4", "text 5", "text 6", "text 7", "text 8", "text 9"]],
    [{ shard: { index: 0, count: 3 } }, ["text 6", "text 9"]],
    [{ shard: { index: 1, count: 3 }, limit: 1 }, ["text 4"]],
    [{ limit: 1, retryFailed: true }, ["text 9"]],
    [{ limit: 5, retryFailed: false }, ["text 4", "text 5"]],
  ];
  for (const [selection, expected] of selections) {
    const reading = { ...options, ...selection };
    const journal = await Journal.open("out.jsonl");
    const pending = async (given: Selection) => {
      const input = await openInput("in", { ...options, ...given });
      const read = readOptions(input, reading);
      try {
        const check = checkInput(input, journal, read);
        return [...pendingRecords(input, read, check)].map(({ messages }) => messages[0].content);
      } finally {
        input.close();
      }
    };
    assert.deepEqual(await pending(selection), expected, JSON.stringify(selection));
    // The same as if all were read.
    assert.deepEqual(await pending({}), expected, JSON.stringify(selection));
    journal.close();
  }
  // A file that is not selected may be missing its content.
  const input = await openInput("in", { ...options, limit: 1 });
  assert.equal([...readRecords(input, {})].length, 2);
  input.close();
});

Deno.test("a data file is a record only if the format says so", async () => {
  using _ = currentFolder({ "a.csv": "q\nwhy\n", "b.jsonl": '{"q":"x"}\n' });
  for (const [path, name] of [["a.csv", "a.csv"], ["b.jsonl", "b.jsonl"]]) {
    const options = { inputFormat: "files", template: "Sum up {{name}}." } as const;
    const input = await openInput(path, options);
    const [record] = readRecords(input, readOptions(input, options));
    input.close();
    assert.ok("messages" in record);
    assert.match(String(record.messages[0].content), new RegExp(`<file name="${name}">`));
  }
  const input = await openInput("b.jsonl", { template: "{{q}}" });
  assert.equal(input.isFiles, undefined);
  input.close();
});
