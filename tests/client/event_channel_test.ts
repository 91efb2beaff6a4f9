import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { EventChannel } from "../../lib/client/event_channel.ts";
import { write } from "../../lib/client/event_sink.ts";
import type { StreamEvent } from "../../lib/chat/events.ts";
import { chatResult } from "../support/chat_result.ts";

const RESULT = chatResult("ab");

const settled = () => new Promise((resolve) => setImmediate(resolve));

function text(text: string): StreamEvent[] {
  return [{ type: "text", text }];
}

Deno.test("EventChannel starts with the first read, and the writer waits for the reader", async () => {
  const log: string[] = [];
  const channel: EventChannel = new EventChannel(async () => {
    log.push("started");
    for (const piece of ["a", "b"]) {
      await write(channel, text(piece));
      log.push(`after ${piece}`);
    }
    return RESULT;
  });
  await settled();
  assert.deepEqual(log, []);
  assert.deepEqual(await channel.next(), { done: false, value: text("a") });
  await settled();
  assert.deepEqual(log, ["started"]);
  assert.deepEqual(await channel.next(), { done: false, value: text("b") });
  await settled();
  assert.deepEqual(log, ["started", "after a"]);
  assert.deepEqual(await channel.next(), { done: true, value: RESULT });
  assert.deepEqual(await channel.next(), { done: true, value: undefined });
});

Deno.test("EventChannel passes an error of the writer to the reader, once", async () => {
  const channel: EventChannel = new EventChannel(async () => {
    await write(channel, text("a"));
    throw new Error("broken");
  });
  await channel.next();
  await assert.rejects(channel.next(), /broken/);
  assert.deepEqual(await channel.next(), { done: true, value: undefined });
});

Deno.test("a reader that leaves EventChannel stops the writer, and waits until it has stopped", async () => {
  let error: unknown;
  let isStopped = false;
  const channel: EventChannel = new EventChannel(async () => {
    try {
      await write(channel, text("a"));
    } catch (thrown) {
      error = thrown;
    }
    await settled();
    isStopped = true;
    return RESULT;
  });
  await channel.next();
  await channel.return();
  assert.equal((error as { code: string }).code, "aborted");
  assert.ok(isStopped);
  await assert.rejects(write(channel, text("b")), { code: "aborted" });
});

Deno.test("an EventChannel that is left before it was read never starts", async () => {
  let isStarted = false;
  const channel = new EventChannel(() => {
    isStarted = true;
    return Promise.resolve(RESULT);
  });
  await channel.return();
  assert.deepEqual(await channel.next(), { done: true, value: undefined });
  assert.equal(isStarted, false);
});

Deno.test("the signal of EventChannel stops a writer that waits for the reader", async () => {
  const controller = new AbortController();
  const unread: unknown[] = [];
  const channel: EventChannel = new EventChannel(async () => {
    await write(channel, text("a"));
    return RESULT;
  }, controller.signal);
  channel.onUnreadError = (error) => unread.push(error);
  await channel.next();
  controller.abort();
  await settled();
  assert.equal(unread.length, 1);
  await assert.rejects(channel.next(), (error) => error === unread[0]);
  assert.deepEqual(await channel.next(), { done: true, value: undefined });
});

Deno.test("EventChannel takes no events after its signal has fired", async () => {
  const channel: EventChannel = new EventChannel(async () => {
    await write(channel, text("a"));
    return RESULT;
  }, AbortSignal.abort());
  await assert.rejects(channel.next(), { code: "aborted" });
  assert.deepEqual(await channel.next(), { done: true, value: undefined });
});
