/** Responses as undici's dispatcher reports them. How Node sends requests is tested in tests/npm. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { DispatchedResponse } from "../../lib/runtime/dispatched_response.ts";

/** A response, and what it did to its connection. */
function connected(headers: Record<string, string> = {}, signal?: AbortSignal) {
  const done: string[] = [];
  const response = new DispatchedResponse(signal);
  response.onConnect((reason) => done.push(`abort: ${reason}`));
  const raw = Object.entries(headers).flat().map((text) => Buffer.from(text, "latin1"));
  response.onHeaders(200, raw, () => done.push("resume"));
  return { response, done };
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

Deno.test("a response opens with its final headers", async () => {
  const response = new DispatchedResponse(null);
  response.onConnect(() => {});
  response.onHeaders(103, [Buffer.from("link"), Buffer.from("</a>")], () => {});
  const headers = ["X-Name", "é", "set-cookie", "a", "set-cookie", "b"];
  response.onHeaders(404, headers.map((text) => Buffer.from(text, "latin1")), () => {});
  const opened = await response.opened;
  assert.equal(opened.status, 404);
  assert.equal(opened.ok, false);
  assert.equal(opened.headers.get("x-name"), "é");
  assert.deepEqual(opened.headers.getSetCookie(), ["a", "b"]);
  response.onComplete();
  assert.equal(await opened.text(), "");
});

Deno.test("a body is read ahead up to a limit, then as it is consumed", async () => {
  const { response, done } = connected();
  assert.equal(response.onData(new Uint8Array(60_000)), true);
  assert.equal(response.onData(new Uint8Array(60_000)), false);
  const reader = response.body.getReader();
  assert.equal((await reader.read()).value!.length, 60_000);
  assert.deepEqual(done, ["resume"]);
  response.onComplete();
  assert.equal((await reader.read()).value!.length, 60_000);
  assert.equal((await reader.read()).done, true);
});

Deno.test("a whole body is read without a pause, up to the given size", async () => {
  const { response, done } = connected();
  assert.equal(response.onData(new Uint8Array(70_000)), false);
  const read = response.bytes(200_000);
  assert.deepEqual(done, ["resume"]);
  assert.equal(response.onData(new Uint8Array(70_000)), true);
  response.onComplete();
  assert.equal((await read)!.length, 140_000);

  const large = connected();
  const none = large.response.bytes(100);
  large.response.onData(new Uint8Array(101));
  assert.equal(await none, undefined);
  assert.deepEqual(large.done, ["abort: TypeError: the body is too large"]);
});

Deno.test("what arrived before an error is read before it", async () => {
  const { response } = connected();
  response.onData(bytes("a"));
  response.onError(new Error("other side closed"));
  const reader = response.body.getReader();
  assert.deepEqual((await reader.read()).value, bytes("a"));
  await assert.rejects(reader.read(), /other side closed/);
});

/** Passes on the body of a response until it is held, and records what happens. */
function passed(response: DispatchedResponse, takes: () => boolean, maxPart = 3) {
  const log: string[] = [];
  const take = (chunk: Uint8Array) => {
    log.push(new TextDecoder().decode(chunk));
    return takes();
  };
  response.forEach(take, maxPart).then(() => log.push("end"), (error) => log.push(`${error}`));
  return log;
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("a body is passed on in parts as it arrives", async () => {
  const { response, done } = connected();
  response.onData(bytes("abcd"));
  const log = passed(response, () => true);
  response.onData(bytes("e"));
  assert.deepEqual(log, ["abc", "d", "e"]);
  response.onComplete();
  await settled();
  assert.deepEqual(log, ["abc", "d", "e", "end"]);
  assert.deepEqual(done, []);
});

Deno.test("a body that is held is read ahead up to a limit, and ends once it has been passed on", async () => {
  const { response, done } = connected();
  const large = "x".repeat(70_000);
  const log = passed(response, () => false, Infinity);
  response.onData(bytes("a"));
  assert.equal(response.onData(bytes(large)), false);
  response.onComplete();
  await settled();
  assert.deepEqual(log, ["a"]);
  assert.deepEqual(done, []);
  response.proceed();
  await settled();
  assert.deepEqual(log, ["a", large]);
  assert.deepEqual(done, ["resume"]);
  response.proceed();
  await settled();
  assert.deepEqual(log, ["a", large, "end"]);
});

Deno.test("a connection that continues at once keeps the order of a body", async () => {
  const response = new DispatchedResponse();
  const sizes = [70_000, 1, 70_000, 2, 70_000, 3];
  let sent = 0;
  const send = () => {
    while (sent < sizes.length && response.onData(new Uint8Array(sizes[sent++])));
    if (sent === sizes.length) response.onComplete();
  };
  response.onConnect(() => {});
  response.onHeaders(200, [], send);
  send();
  const taken: number[] = [];
  await response.forEach((chunk) => taken.push(chunk.length) > 0, Infinity);
  assert.deepEqual(taken, sizes);
});

Deno.test("a consumer may ask for the next part before it has taken one", async () => {
  const { response } = connected();
  for (const text of ["a", "b", "c"]) response.onData(bytes(text));
  response.onComplete();
  let text = "";
  await response.forEach((chunk) => {
    text += new TextDecoder().decode(chunk);
    response.proceed();
    return false;
  }, Infinity);
  assert.equal(text, "abc");
});

Deno.test("what arrived before an error is passed on before it, unless the request is aborted", async () => {
  const { response } = connected();
  const log = passed(response, () => false);
  response.onData(bytes("a"));
  response.onData(bytes("b"));
  response.onError(new Error("closed"));
  await settled();
  assert.deepEqual(log, ["a"]);
  response.proceed();
  response.proceed();
  await settled();
  assert.deepEqual(log, ["a", "b", "Error: closed"]);

  const aborted = connected();
  const cut = passed(aborted.response, () => false);
  aborted.response.onData(bytes("abcd"));
  aborted.response.abort(new Error("enough"));
  await settled();
  assert.deepEqual(cut, ["abc", "Error: enough"]);
  assert.deepEqual(aborted.done, ["abort: Error: enough"]);
});

Deno.test("passing on a body ends early when it is stopped, cancelled or fails", async () => {
  const { response, done } = connected();
  const log = passed(response, () => {
    response.stop();
    return true;
  });
  response.onData(bytes("abcd"));
  response.onComplete();
  await settled();
  assert.deepEqual(log, ["abc", "end"]);
  assert.deepEqual(done, []);

  const cancelled = connected();
  const held = passed(cancelled.response, () => false);
  cancelled.response.onData(bytes("abcd"));
  cancelled.response.cancel();
  await settled();
  assert.deepEqual(held, ["abc", "end"]);

  const failing = connected();
  const failed = passed(failing.response, () => {
    throw new Error("broken");
  });
  assert.equal(failing.response.onData(bytes("abcd")), true);
  await settled();
  assert.deepEqual(failed, ["abc", "Error: broken"]);
});

Deno.test("a signal ends a response at any moment", async () => {
  const waiting = new AbortController();
  const response = new DispatchedResponse(waiting.signal);
  waiting.abort("enough");
  await assert.rejects(response.opened, (reason) => reason === "enough");
  const aborted: unknown[] = [];
  response.onConnect((reason) => aborted.push(reason));
  assert.deepEqual(aborted, ["enough"]);

  const reading = new AbortController();
  const { response: open, done } = connected({}, reading.signal);
  const text = open.text();
  reading.abort("enough");
  await assert.rejects(text, (reason) => reason === "enough");
  assert.deepEqual(done, ["abort: enough"]);

  const later = new AbortController();
  const { response: complete, done: nothing } = connected({}, later.signal);
  complete.onData(bytes("a"));
  complete.onComplete();
  later.abort("too late");
  assert.equal(await complete.text(), "a");
  assert.deepEqual(nothing, []);
});

Deno.test("a compressed body is decoded", async () => {
  const { response } = connected({ "content-encoding": "gzip" });
  response.onData(gzipSync("text"));
  response.onComplete();
  assert.equal(response.isEncoded, true);
  assert.equal(await new Response(response.body).text(), "text");
});
