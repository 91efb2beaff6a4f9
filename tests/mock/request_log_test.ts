/** The request log is bounded, and only this machine can read it. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { createMockApp, startMockServer } from "../../mod.ts";
import type { LoggedRequest } from "../../lib/mock/request_log.ts";

async function logAfter(contents: Iterable<string>): Promise<LoggedRequest[]> {
  const app = createMockApp({ length: 10 });
  for (const content of contents) {
    const body = JSON.stringify({ model: "m", messages: [{ role: "user", content }] });
    const init = { method: "POST", body };
    const response = await app.fetch(new Request("http://mock/v1/chat/completions", init));
    assert.equal(response.status, 200);
    await response.body?.cancel();
  }
  const response = await app.fetch(new Request("http://mock/__mock/requests"));
  return (await response.json()).requests;
}

const MEGABYTE = 1024 * 1024;

Deno.test("a long body is logged with truncated strings and its original length", async () => {
  const [{ body, cut }] = await logAfter(["x".repeat(20 * MEGABYTE)]);
  const { model, messages: [{ content }] } = body as {
    model: string;
    messages: { content: string }[];
  };
  assert.equal(model, "m");
  assert.equal(content, `${"x".repeat(1024)}… (${20 * MEGABYTE - 1024} more characters)`);
  assert.ok(cut! > 20 * MEGABYTE);
});

Deno.test("a short body is logged unchanged", async () => {
  const [{ body, cut }] = await logAfter(["Hi"]);
  assert.deepEqual(body, { model: "m", messages: [{ role: "user", content: "Hi" }] });
  assert.equal(cut, undefined);
});

Deno.test("the log is bounded by size and drops the oldest requests", async () => {
  const body = "y".repeat(0.9 * MEGABYTE);
  const log = await logAfter(Array.from({ length: 50 }, () => body));
  assert.ok(log.length < 40 && log.length > 30, String(log.length));
  assert.deepEqual(log.map(({ number }) => number), log.map((_, i) => 50 - log.length + 1 + i));
  assert.ok(JSON.stringify(log).length <= 32 * MEGABYTE + 40 * 1000);
});

Deno.test("the log is bounded by count", async () => {
  const log = await logAfter(Array.from({ length: 2500 }, (_, i) => `Question ${i}`));
  assert.deepEqual([log.length, log[0].number, log.at(-1)!.number], [1000, 1501, 2500]);
});

Deno.test("a body of many small values is truncated as text", async () => {
  const app = createMockApp({ lenient: true });
  const body = JSON.stringify({ messages: Array.from({ length: MEGABYTE }, () => 1) });
  await app.fetch(new Request("http://mock/v1/chat/completions", { method: "POST", body }));
  const response = await app.fetch(new Request("http://mock/__mock/requests"));
  const [logged] = (await response.json()).requests;
  assert.match(logged.body, /^\{"messages":\[1,1,.*… \(\d+ more characters\)$/s);
  assert.equal(logged.cut, body.length);
});

/** Sends a request with a `Host` header, which `fetch` does not allow. */
function get(port: number, host: string, path = "/__mock/requests"): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: "127.0.0.1", path, headers: { host } }, (response) => {
      let text = "";
      response.on("data", (chunk) => text += chunk);
      response.on("end", () => resolve([response.statusCode!, text]));
    });
    asked.on("error", reject);
    asked.end();
  });
}

Deno.test("a mock on a loopback address only accepts names of this machine", async () => {
  await using server = await startMockServer();
  const { port } = server;
  for (
    const host of [
      "localhost",
      `localhost:${port}`,
      "LOCALHOST",
      `127.0.0.1:${port}`,
      "127.1.2.3",
      `[::1]:${port}`,
      "my-app.localhost:80",
    ]
  ) {
    assert.equal((await get(port, host))[0], 200, host);
  }
  for (
    const host of [
      "evil.example",
      `evil.example:${port}`,
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "evil-localhost",
      "192.168.0.1",
      "0.0.0.0",
    ]
  ) {
    for (const path of ["/__mock/requests", "/v1/models"]) {
      const [status, text] = await get(port, host, path);
      assert.equal(status, 403, host);
      assert.match(JSON.parse(text).error.message, new RegExp(`"${host}".*--host 0\\.0\\.0\\.0`));
    }
  }
});

Deno.test("a mock on another address, or without a port, accepts every host", async () => {
  await using server = await startMockServer({ hostname: "0.0.0.0" });
  assert.equal((await get(server.port, "mock.example"))[0], 200);
  const response = await createMockApp().fetch(new Request("http://mock.example/v1/models"));
  assert.equal(response.status, 200);
  await response.body?.cancel();
});
