/** Format: WHATWG HTML, "Server-sent events". */
import assert from "node:assert/strict";
import fc from "fast-check";
import { readServerSentEvents } from "../lib/transport/server_sent_events.ts";

/** The data of all events of `bytes`, cut into chunks after the given places. */
async function read(bytes: Uint8Array, cuts: number[]): Promise<string[]> {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const chunks = [0, ...places].map((start, i) => bytes.subarray(start, places[i]));
  const events: string[] = [];
  for await (const batch of readServerSentEvents(ReadableStream.from(chunks))) {
    events.push(...batch);
  }
  return events;
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

Deno.test("events are the same however the bytes are cut", async () => {
  const bytes = new TextEncoder().encode(STREAM);
  assert.deepEqual(await read(bytes, []), EVENTS);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 30 }), async (cuts) => {
      assert.deepEqual(await read(bytes, cuts), EVENTS);
    }),
  );
  const everyByte = Array.from(bytes.keys());
  assert.deepEqual(await read(bytes, everyByte), EVENTS);
});

Deno.test("leaving the loop cancels the body", async () => {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode("data: x\n\n")),
    cancel: () => {
      cancelled = true;
    },
  });
  for await (const batch of readServerSentEvents(body)) {
    assert.deepEqual(batch, ["x"]);
    break;
  }
  assert.ok(cancelled);
});
