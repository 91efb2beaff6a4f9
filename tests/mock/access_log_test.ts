/** Every request to the mock is reported once, when its answer ends. */
import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { createMockApp, type MockAccess, type MockOptions, startMockServer } from "../../mod.ts";

const CHAT = "/v1/chat/completions";
const HELLO = [{ role: "user", content: "Hello there" }];

async function accessOf(
  options: MockOptions,
  path: string,
  body: unknown,
  read: (response: Response) => Promise<unknown> = (response) => response.text(),
): Promise<MockAccess> {
  const accesses: MockAccess[] = [];
  const app = createMockApp({ ...options, onRequest: (access) => accesses.push(access) });
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const init = body === undefined ? {} : { method: "POST", body: text };
  const response = await app.fetch(new Request(`http://mock${path}`, init));
  await read(response).catch(() => {});
  assert.equal(accesses.length, 1);
  return accesses[0];
}

Deno.test("the access log has the model, tokens and end of an answer", async () => {
  const access = await accessOf({ length: 40 }, CHAT, { model: "gpt-x", messages: HELLO });
  const { time, duration, ...rest } = access;
  assert.ok(time instanceof Date && duration >= 0);
  assert.deepEqual(rest, {
    method: "POST",
    path: CHAT,
    status: 200,
    model: "gpt-x",
    streamed: false,
    promptTokens: 3,
    completionTokens: 10,
    outcome: "complete",
  });
});

Deno.test("the access log reports streams when they end", async () => {
  const body = { model: "m", messages: HELLO, stream: true };
  let count = 0;
  const app = createMockApp({ length: 40, onRequest: () => count++ });
  const init = { method: "POST", body: JSON.stringify(body) };
  const response = await app.fetch(new Request(`http://mock${CHAT}`, init));
  assert.equal(count, 0);
  await response.text();
  assert.equal(count, 1);
  const access = await accessOf({ length: 40 }, CHAT, body);
  assert.deepEqual([access.streamed, access.completionTokens], [true, 10]);
  const left = await accessOf({ length: 40 }, CHAT, body, (response) => response.body!.cancel());
  assert.equal(left.outcome, "aborted");
});

Deno.test("the access log has the model of every format, and no keys", async () => {
  const contents = [{ role: "user", parts: [{ text: "Hi" }] }];
  const path = "/v1beta/models/gemini-x:generateContent?key=secret-key";
  const gemini = await accessOf({}, path, { contents });
  assert.equal(gemini.model, "gemini-x");
  assert.equal(gemini.path, "/v1beta/models/gemini-x:generateContent?key=removed");
  const embeddings = await accessOf({}, "/v1/embeddings", { model: "e", input: "four" });
  assert.deepEqual([embeddings.model, embeddings.promptTokens], ["e", 1]);
});

Deno.test("the access log reports malformed requests, unknown paths and injected faults", async () => {
  const malformed = await accessOf({}, CHAT, "{");
  assert.equal(malformed.status, 400);
  assert.match(malformed.error!, /could not parse the JSON body/);
  const unknown = await accessOf({}, "/nothing", undefined);
  assert.deepEqual([unknown.method, unknown.status], ["GET", 404]);
  const always = { errorRate: 1, length: 400 };
  const body = { model: "m", messages: HELLO };
  const limited = await accessOf({ ...always, errorKinds: ["rate_limit"] }, CHAT, body);
  assert.deepEqual([limited.status, limited.fault], [429, "rate_limit"]);
  const cut = await accessOf({ ...always, errorKinds: ["disconnect"] }, CHAT, body);
  assert.deepEqual([cut.status, cut.fault, cut.outcome], [200, "disconnect", "broken"]);
});

Deno.test("the access log reports rejected hosts", async () => {
  const { promise, resolve } = Promise.withResolvers<MockAccess>();
  await using server = await startMockServer({ onRequest: resolve });
  const options = { port: server.port, host: "127.0.0.1", headers: { host: "evil.example" } };
  await new Promise<void>((resolve) =>
    httpRequest(options).on("response", (response) => response.resume().on("end", resolve)).end()
  );
  const access = await promise;
  assert.equal(access.status, 403);
  assert.match(access.error!, /evil\.example/);
});

Deno.test("the access log reports clients that leave before the answer", async () => {
  const { promise, resolve } = Promise.withResolvers<MockAccess>();
  const app = createMockApp({ delay: 3600, onRequest: resolve });
  const leaving = new AbortController();
  const init = { method: "POST", body: JSON.stringify({ model: "m", messages: HELLO }) };
  const sent = app.fetch(new Request(`http://mock${CHAT}`, { ...init, signal: leaving.signal }));
  leaving.abort();
  await assert.rejects(sent, { name: "AbortError" });
  const access = await promise;
  assert.deepEqual([access.outcome, access.status], ["aborted", undefined]);
});

Deno.test("the access log reports clients that leave a stream, over HTTP", async () => {
  const { promise, resolve } = Promise.withResolvers<MockAccess>();
  await using server = await startMockServer({
    length: 4000,
    tokenRate: 100,
    onRequest: resolve,
  });
  const leaving = new AbortController();
  const response = await fetch(`${server.baseUrl}/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ model: "m", messages: HELLO, stream: true }),
    signal: leaving.signal,
  });
  await response.body!.getReader().read();
  leaving.abort();
  const access = await promise;
  assert.deepEqual([access.outcome, access.status, access.streamed], ["aborted", 200, true]);
});
