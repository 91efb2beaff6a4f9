import assert from "node:assert/strict";
import { streamsFillMemory } from "../../lib/runtime/runtime.ts";
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

/** A stream of the given chunks that fills the reader's buffers and records their sizes. */
function filling(chunks: readonly Uint8Array[], sizes: number[]): ReadableStream<Uint8Array> {
  let next = 0;
  let at = 0;
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      const { byobRequest } = controller;
      const view = byobRequest?.view as Uint8Array | undefined;
      if (view === undefined || byobRequest === null) return;
      sizes.push(view.length);
      const chunk = chunks[next];
      if (chunk === undefined) {
        controller.close();
        return byobRequest.respond(0);
      }
      const part = chunk.subarray(at, at + view.length);
      view.set(part);
      at += part.length;
      if (at === chunk.length) [next, at] = [next + 1, 0];
      byobRequest.respond(part.length);
    },
  });
}

Deno.test({
  name: "a stream has a large buffer only while it fills the small one",
  ignore: !streamsFillMemory,
  async fn() {
    const chunks = [100, 60_000, 100, 100].map((length) =>
      crypto.getRandomValues(new Uint8Array(length))
    );
    const sizes: number[] = [];
    const reader = new BodyReader(filling(chunks, sizes));
    const bytes: number[] = [];
    for (let part; (part = await reader.read()) !== undefined;) bytes.push(...part);
    reader.close();
    assert.deepEqual(bytes, chunks.flatMap((chunk) => [...chunk]));
    const [small, large] = [Math.min(...sizes), Math.max(...sizes)];
    assert.ok(small * 8 <= large, `${sizes}`);
    assert.deepEqual(sizes, [small, small, large, large, small, small]);
  },
});
