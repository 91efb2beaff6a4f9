/** A body with an array of requests is split while it is read. */
import assert from "node:assert/strict";
import { readInlineRequests } from "../../../lib/mock/batch/inline_requests.ts";

/** The text in chunks of `size` bytes. */
function chunks(text: string, size: number): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at += size));
    },
  });
}

async function read(text: string, size: number) {
  const all: unknown[] = [];
  const reading = readInlineRequests(chunks(text, size), "requests");
  while (true) {
    const { value, done } = await reading.next();
    if (done) return { ...value, all };
    all.push(value);
  }
}

Deno.test("rows and other fields come out whatever the size of the chunks", async () => {
  const requests = [
    { id: "a", text: 'brackets ]}{[ , : "quoted" \\' },
    { id: "ü – 日本 🎉", list: [1, [2, { x: [] }]], n: -1.5e3 },
    {},
    "text",
    null,
    7,
  ];
  const fields = { model: "m", nested: { requests: [1, 2] }, empty: [], last: true };
  const { model, ...others } = fields;
  for (const indent of [undefined, 2]) {
    const text = JSON.stringify({ model, requests, ...others }, undefined, indent);
    for (const size of [1, 2, 3, 7, 64, 10_000]) {
      const body = await read(text, size);
      assert.deepEqual(body.all, requests);
      assert.deepEqual(body.fields, fields);
      assert.deepEqual(body.order, ["model", "requests", "nested", "empty", "last"]);
      assert.equal(body.rows, requests.length);
    }
  }
});

Deno.test("an empty array, and no array at all", async () => {
  assert.equal((await read('{"requests": [ ]}', 2)).rows, 0);
  assert.equal((await read("{}", 1)).rows, undefined);
  const other = await read('{"requests":{"a":[1]}}', 3);
  assert.equal(other.rows, undefined);
  assert.deepEqual(other.fields, { requests: { a: [1] } });
});

Deno.test("anything but an object is a syntax error", async () => {
  const bodies = [
    "",
    "[]",
    "7",
    '{"requests":[',
    '{"requests":[{}',
    '{"requests":[{},]}',
    '{"requests":[{} {}]}',
    '{"requests":[,]}',
    '{"requests":[{}]',
    '{"requests":[]}}',
    '{"requests":[]} x',
    "{requests:[]}",
    '{"a":}',
    '{"a":1,}',
    '{"a"}',
    '{"a":tru}',
    '{"requests":[{"a":"\u0001"}]}',
  ];
  for (const body of bodies) {
    for (const size of [1, 100]) await assert.rejects(read(body, size), SyntaxError, body);
  }
});
