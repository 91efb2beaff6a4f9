/** Forms are read while they arrive, wherever their chunks end. */
import assert from "node:assert/strict";
import {
  boundaryOf,
  fieldText,
  MultipartError,
  readForm,
} from "../../../lib/mock/batch/multipart.ts";

/** A stream of `text` in chunks of `size` bytes. */
function chunks(text: string, size: number): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let start = 0;
  return new ReadableStream({
    pull(controller) {
      if (start >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(start, start + size));
      start += size;
    },
  });
}

async function parse(text: string, size: number, boundary = "b"): Promise<unknown[]> {
  const parts: unknown[] = [];
  for await (const { name, fileName, content } of readForm(chunks(text, size), boundary)) {
    parts.push([name, fileName, await fieldText(content)]);
  }
  return parts;
}

const FORM = '--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n' +
  '--b\r\ncontent-disposition: form-data; name="empty"\r\n\r\n\r\n' +
  '--b\r\nContent-Disposition: form-data; name="file"; filename="a \\"b\\".jsonl"\r\n' +
  "Content-Type: application/jsonl\r\n\r\nline 1\r\n--not a boundary\r\n-\r\nünï\n\r\n--b--\r\n";

Deno.test("a form in chunks of any size", async () => {
  const expected = [
    ["purpose", undefined, "batch"],
    ["empty", undefined, ""],
    ["file", 'a "b".jsonl', "line 1\r\n--not a boundary\r\n-\r\nünï\n"],
  ];
  for (let size = 1; size < FORM.length + 2; size++) {
    assert.deepEqual(await parse(FORM, size), expected, `chunks of ${size}`);
  }
});

Deno.test("parts that are not read are skipped", async () => {
  const names: string[] = [];
  for await (const { name } of readForm(chunks(FORM, 7), "b")) names.push(name);
  assert.deepEqual(names, ["purpose", "empty", "file"]);
});

Deno.test("a broken form is an error", async () => {
  for (
    const text of [
      "",
      FORM.slice(0, -6),
      "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--",
      `--b\r\n${"x".repeat(20_000)}`,
      "no boundary at all",
    ]
  ) await assert.rejects(parse(text, 5), MultipartError, JSON.stringify(text.slice(0, 40)));
});

Deno.test("the boundary of a content type", () => {
  assert.equal(boundaryOf("multipart/form-data; boundary=abc"), "abc");
  assert.equal(boundaryOf('Multipart/Form-Data; charset=utf-8; boundary="a b"'), "a b");
  assert.equal(boundaryOf("application/json"), undefined);
  assert.equal(boundaryOf(null), undefined);
});
