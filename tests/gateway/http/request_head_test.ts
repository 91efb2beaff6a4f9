/** Unusual heads of requests, as a runtime's server hands them to the gateway or refuses them itself. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { serve } from "../../../lib/runtime/http_server.ts";
import { gatewayOf } from "../../support/gateway.ts";

/** The status and the body of the answer to a request with this head. */
async function answerTo(port: number, head: readonly string[]): Promise<[number, string]> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.setEncoding("utf8").on("data", (data: string) => text += data).on("error", () => {});
  socket.write(`${head.join("\r\n")}\r\nconnection: close\r\n\r\n`);
  await new Promise((resolve) => socket.once("close", resolve));
  const [, status] = /^HTTP\/1\.1 (\d+)/.exec(text) ?? [];
  return [Number(status), text.slice(text.indexOf("\r\n\r\n") + 4)];
}

async function withServer(test: (port: number) => Promise<void>): Promise<void> {
  await using gateway = gatewayOf({
    endpoints: [{ model: "m", baseUrl: "http://127.0.0.1:9/v1" }],
  });
  const server = await serve("127.0.0.1", 0, (request, peer) => gateway.app.fetch(request, peer));
  try {
    await test(server.port);
  } finally {
    await server.close();
  }
}

Deno.test("a request line with a whole URL is answered like one with a path", () =>
  withServer(async (port) => {
    const host = `127.0.0.1:${port}`;
    const [status, body] = await answerTo(port, [
      `GET http://${host}/v1/models HTTP/1.1`,
      `host: ${host}`,
    ]);
    assert.equal(status, 200);
    assert.equal(JSON.parse(body).object, "list");
  }));

Deno.test("a request line with the URL of another host is refused like its host header", () =>
  withServer(async (port) => {
    const [status, body] = await answerTo(port, [
      "GET http://example.com/v1/models HTTP/1.1",
      "host: example.com",
    ]);
    assert.deepEqual([status, JSON.parse(body).error.code], [403, "forbidden_host"]);
  }));

Deno.test("oversized headers are refused, and the server goes on", () =>
  withServer(async (port) => {
    const host = `host: 127.0.0.1:${port}`;
    const models = (size: number) =>
      answerTo(port, ["GET /v1/models HTTP/1.1", host, `x-large: ${"a".repeat(size)}`]);
    assert.equal((await models(8_000))[0], 200);
    const [status] = await models(1_000_000);
    // The runtime refuses them: Deno with 400, Bun and Node with 431, or it closes the connection.
    assert.ok([400, 431].includes(status) || Number.isNaN(status), String(status));
    assert.equal((await models(10))[0], 200);
  }));
