import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { closeSync, openSync } from "node:fs";
import { LineReader, readLinesSync } from "../../lib/files/lines.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

/** Lines that cross the boundaries of 1 MiB chunks, and one longer than a chunk. */
const LINES = ["first", "", "é".repeat(2 ** 19 - 4), "x".repeat(2_500_000), "after", "é"];

Deno.test("LineReader reads the lines that readLinesSync() yields, by offset", () => {
  using folder = temporaryFolder();
  for (const end of ["", "\n"]) {
    const fd = openSync(folder.write("lines", LINES.join("\n") + end), "r");
    const lines = [...readLinesSync(fd)];
    assert.deepEqual(lines.map(({ text }) => text), LINES);
    assert.equal(lines.at(-1)!.ended, end !== "");
    const reader = new LineReader(fd);
    for (const { offset, text } of [...lines, ...lines.toReversed()]) {
      assert.deepEqual(reader.at(offset), { text, valid: true });
    }
    closeSync(fd);
  }
});

Deno.test("LineReader reads each chunk once, in ascending order", () => {
  const bytes = new TextEncoder().encode(LINES.join("\n"));
  const positions: number[] = [];
  const read = (buffer: Buffer, position: number) => {
    positions.push(position / 2 ** 20);
    const part = bytes.subarray(position, position + buffer.length);
    buffer.set(part);
    return part.length;
  };
  const lines = [...readLinesSync(read)];
  positions.length = 0;
  const reader = new LineReader(read);
  for (const { offset, text } of lines) assert.equal(reader.at(offset).text, text);
  assert.deepEqual(positions, [0, 1, 2, 3]);
});

Deno.test("bytes that are not UTF-8 make a line invalid", () => {
  const bytes = Uint8Array.from([0x61, 0x0a, 0xe9, 0x0a]);
  const read = (buffer: Buffer, position: number) => {
    buffer.set(bytes.subarray(position));
    return Math.max(0, bytes.length - position);
  };
  assert.deepEqual([...readLinesSync(read)].map(({ valid }) => valid), [true, false]);
  assert.equal(new LineReader(read).at(2).valid, false);
});

Deno.test("of a line that is too long only the start is kept", () => {
  using folder = temporaryFolder();
  for (const end of ["", "\n"]) {
    const long = "é".repeat(2_000_000);
    const fd = openSync(folder.write("lines", `a\n${long}\nb\n${long}${end}`), "r");
    const lines = [...readLinesSync(fd, 3_000_000)];
    closeSync(fd);
    assert.deepEqual(lines.map(({ text, tooLong = false }) => [text.slice(0, 3), tooLong]), [
      ["a", false],
      ["ééé", true],
      ["b", false],
      ["ééé", true],
    ]);
    assert.ok(lines[1].text.length <= 100);
    assert.deepEqual(lines.map(({ length }) => length), [1, 4_000_000, 1, 4_000_000]);
    assert.deepEqual(lines.map(({ offset }) => offset), [0, 2, 4_000_003, 4_000_005]);
  }
});
