/** Format: WHATWG HTML, "Server-sent events". */
import assert from "node:assert/strict";
import fc from "fast-check";
import { ServerSentEventReader } from "../../lib/transport/server_sent_events.ts";

type Body = ReadableStream<Uint8Array>;

/** A stream that fills the reader's buffers, as Deno's bodies do. */
function filling(chunks: Uint8Array[]): Body {
  const left = chunks.filter((chunk) => chunk.length > 0);
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      const chunk = left.shift();
      // A copy, since a byte stream detaches the buffers it receives.
      if (chunk !== undefined) controller.enqueue(new Uint8Array(chunk));
      else closeFilling(controller);
    },
  });
}

function closeFilling(controller: ReadableByteStreamController): void {
  controller.close();
  controller.byobRequest?.respond(0);
}

/** The data of all events in `bytes`, split into chunks at the given positions. */
async function read(
  bytes: Uint8Array,
  cuts: number[],
  bodyOf: (chunks: Uint8Array[]) => Body,
): Promise<string[]> {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const chunks = [0, ...places].map((start, i) => bytes.subarray(start, places[i]));
  const events: string[] = [];
  const reader = new ServerSentEventReader(bodyOf(chunks));
  const rest = await reader.forEach((batch) => {
    events.push(...batch);
    return true;
  });
  return [...events, ...rest];
}

const STREAM = [
  "\uFEFFdata: first\n\n",
  ": keep-alive\n\n",
  "event: message\r\ndata:no space\r\n\r\n",
  "id: 7\rdata: carriage\rdata: returns\r\r",
  "data: naïve 🤔 日本語\n\n",
  "retry: 10\n\n",
  "data: [DONE]\n\n",
  "data: never ended",
].join("");
const EVENTS = [
  "first",
  "no space",
  "carriage\nreturns",
  "naïve 🤔 日本語",
  "[DONE]",
  "never ended",
];

const KINDS: Record<string, (chunks: Uint8Array[]) => Body> = {
  "a stream of chunks": (chunks) => ReadableStream.from(chunks),
  "a stream of bytes": filling,
};

for (const [kind, bodyOf] of Object.entries(KINDS)) {
  Deno.test(`events are the same however the bytes are split, ${kind}`, async () => {
    const bytes = new TextEncoder().encode(STREAM);
    assert.deepEqual(await read(bytes, [], bodyOf), EVENTS);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 30 }), async (cuts) => {
        assert.deepEqual(await read(bytes, cuts, bodyOf), EVENTS);
      }),
    );
    const everyByte = Array.from(bytes.keys());
    assert.deepEqual(await read(bytes, everyByte, bodyOf), EVENTS);
  });

  Deno.test(`an event may span several buffers, ${kind}`, async () => {
    const text = "日本語 ".repeat(100_000);
    const bytes = new TextEncoder().encode(`data: ${text}\n\ndata: next\n\n`);
    assert.deepEqual(await read(bytes, [], bodyOf), [text, "next"]);
  });
}

Deno.test("events wait while they are held, and none are passed after a stop", async () => {
  const encoder = new TextEncoder();
  const body = ReadableStream.from(["a", "b", "c"].map((x) => encoder.encode(`data: ${x}\n\n`)));
  const reader = new ServerSentEventReader(body);
  const events: string[] = [];
  let onEvent = () => {};
  const reading = reader.forEach((batch) => {
    events.push(...batch);
    onEvent();
    return false;
  });
  await new Promise<void>((resolve) => onEvent = resolve);
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(events, ["a"]);
  const next = new Promise<void>((resolve) => onEvent = resolve);
  reader.proceed();
  await next;
  reader.stop();
  assert.deepEqual(await reading, []);
  assert.deepEqual(events, ["a", "b"]);
});

Deno.test("closing the reader cancels the body", async () => {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode("data: x\n\n")),
    cancel: () => {
      cancelled = true;
    },
  });
  const reader = new ServerSentEventReader(body);
  const batches: string[][] = [];
  const reading = reader.forEach((batch) => {
    if (batches.push(batch) === 2) reader.close();
    return true;
  });
  assert.deepEqual(await reading, []);
  assert.deepEqual(batches, [["x"], ["x"]]);
  assert.ok(cancelled);
});
