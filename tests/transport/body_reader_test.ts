import assert from "node:assert/strict";
import { BodyReader } from "../../lib/transport/body_reader.ts";

/** The maximum of one read, where streams fill our buffers and where they do not. */
const MAXIMUM = 64 * 1024;

/** A stream that hands over its bytes in one chunk, as Bun's bodies do with all that has arrived. */
function inOneChunk(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}

Deno.test("a large chunk is read in parts", async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  const large = new Uint8Array(300_001);
  for (let at = 0; at < large.length; at += bytes.length) {
    large.set(bytes.subarray(0, large.length - at), at);
  }
  const reader = new BodyReader(inOneChunk(large));
  const parts: Uint8Array[] = [];
  for (let part = await reader.read(); part !== undefined; part = await reader.read()) {
    assert.ok(part.length > 0 && part.length <= MAXIMUM, `${part.length} bytes`);
    parts.push(part.slice());
  }
  reader.close();
  assert.ok(parts.length > 1);
  assert.deepEqual(new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer()), large);
});

Deno.test("nothing is read after a reader was closed in the middle of a chunk", async () => {
  const reader = new BodyReader(inOneChunk(new Uint8Array(300_000)));
  await reader.read();
  reader.close();
  assert.equal(await reader.read(), undefined);
});
