import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { StreamedBody } from "../../lib/batch_api/batch_http.ts";
import { createBatchHttp } from "../../lib/batch_api/http.ts";
import { AuthenticationError, ConnectionError, FlexLLMError, HttpError } from "../../mod.ts";
import type { Endpoint } from "../../lib/protocols/protocol.ts";
import { protocolNamed } from "../../lib/protocols/registry.ts";
import { defaultFetch } from "../../lib/transport/default_fetch.ts";
import { startDroppingServer } from "../support/dropping_server.ts";
import { startHttpServer } from "../support/http_server.ts";
import { startRawServer } from "../support/raw_server.ts";
import { collect, endpointOf } from "./setup.ts";

function httpOf(
  endpoint: Endpoint,
  { timeout = 20, signal, format = "chat" }: {
    timeout?: number;
    signal?: AbortSignal;
    format?: string;
  } = {},
) {
  const protocol = protocolNamed(format)!;
  return createBatchHttp(endpoint, defaultFetch, { protocol, timeout, signal });
}

/** A body of `count` chunks of 64 KiB. */
function chunks(count: number, onCancel?: () => void): StreamedBody {
  const chunk = new Uint8Array(65_536).fill(97);
  return {
    size: count * chunk.length,
    open() {
      let left = count;
      return new ReadableStream({
        pull(controller) {
          if (left-- > 0) controller.enqueue(chunk.slice());
          else controller.close();
        },
        cancel: onCancel,
      }, { highWaterMark: 0 });
    },
  };
}

Deno.test("a streamed upload has a content-length and a user agent", async () => {
  await using server = await startHttpServer(() => ({ json: { ok: true } }));
  const http = httpOf(endpointOf(`${server.origin}/v1`));
  for (const method of ["POST", "PUT"] as const) {
    const body = chunks(50);
    const { json } = await http.send({ method, path: "/files", body });
    assert.deepEqual(json, { ok: true });
  }
  assert.deepEqual(server.calls(), ["POST /v1/files", "PUT /v1/files"]);
  for (const { headers, body } of server.requests) {
    assert.equal(headers["content-length"], String(50 * 65_536));
    assert.equal(headers["transfer-encoding"], undefined);
    assert.equal(headers.authorization, "Bearer sk-test-123456");
    assert.ok(headers["user-agent"], "Together's edge refuses requests without it");
    assert.equal(body.length, 50 * 65_536);
  }
});

Deno.test("an upload is read only as fast as the server takes it", async () => {
  let read = 0;
  let received = 0;
  const size = 400 * 65_536;
  const body = chunks(400);
  const counted: StreamedBody = {
    size,
    open() {
      const reader = body.open().getReader();
      return new ReadableStream({
        async pull(controller) {
          const { done, value } = await reader.read();
          if (done) return controller.close();
          read += value.length;
          controller.enqueue(value);
        },
      }, { highWaterMark: 0 });
    },
  };
  // Reads the head of the request and then nothing until the test lets it.
  const sockets: Socket[] = [];
  const paused = Promise.withResolvers<Socket>();
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.once("data", (data) => {
      received += data.length;
      socket.pause();
      paused.resolve(socket);
    });
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const http = httpOf(endpointOf(`http://127.0.0.1:${port}/v1`));
    const sent = http.send({ method: "POST", path: "/files", body: counted });
    const socket = await paused.promise;
    // It stalls once the buffers of the connection are full.
    let before = -1;
    while (before !== read) {
      before = read;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.ok(read < size, `${read} of ${size} bytes were read`);
    socket.on("data", (data) => {
      received += data.length;
      // More than the body, because of the head.
      if (received > size) {
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
      }
    });
    socket.resume();
    assert.deepEqual((await sent).json, {});
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

Deno.test("an upload whose source fails or changes ends with that error", async () => {
  await using server = await startHttpServer(() => ({ json: {} }));
  const http = httpOf(endpointOf(`${server.origin}/v1`));
  const failing: StreamedBody = {
    size: 100,
    open: () =>
      new ReadableStream({
        pull() {
          throw new Error("EIO: the disk is gone");
        },
      }),
  };
  await assert.rejects(
    http.send({ method: "POST", path: "/files", body: failing }),
    { code: "invalid_input", message: /the disk is gone/ },
  );
  const { open } = chunks(2);
  for (const size of [65_536, 3 * 65_536]) {
    await assert.rejects(
      http.send({ method: "POST", path: "/files", body: { size, open } }),
      { code: "invalid_input", message: /changed while it was sent/ },
    );
  }
});

Deno.test("the source of an upload is closed when the server is gone", async () => {
  const cancelled = Promise.withResolvers<void>();
  await using server = await startRawServer(() => {});
  const origin = server.baseUrl;
  await server[Symbol.asyncDispose]();
  const http = httpOf(endpointOf(origin));
  const body = chunks(4, () => cancelled.resolve());
  const error = await http.send({ method: "POST", path: "/files", body }).then(
    () => undefined,
    (error) => error,
  );
  assert.ok(error instanceof ConnectionError, String(error));
  assert.equal(error.sent, false);
  await cancelled.promise;
});

Deno.test("a create is sent once, also on a connection that is reused", async () => {
  await using server = await startDroppingServer("{}");
  const http = httpOf(endpointOf(server.baseUrl));
  await http.send({ method: "POST", path: "/batches", json: { n: 1 } });
  const error = await http.send({ method: "POST", path: "/batches", json: { n: 2 } }).then(
    () => undefined,
    (error) => error,
  );
  assert.ok(error instanceof ConnectionError, String(error));
  assert.equal(error.sent, true);
  assert.equal(server.requests(), 2);
});

Deno.test("the key is sent in the header of the service, or else of the wire format", async () => {
  await using server = await startHttpServer(() => ({ json: {} }));
  const baseUrl = `${server.origin}/v1`;
  await httpOf(endpointOf(baseUrl)).send({ method: "GET", path: "/batches" });
  await httpOf(endpointOf(baseUrl, "azure")).send({ method: "GET", path: "/batches" });
  await httpOf(endpointOf(baseUrl), { format: "claude" }).send({ method: "GET", path: "/batches" });
  await httpOf(endpointOf(baseUrl), { format: "gemini" }).send({ method: "GET", path: "/batches" });
  const names = ["authorization", "api-key", "x-api-key", "x-goog-api-key"];
  assert.deepEqual(
    server.requests.map(({ headers }) => names.filter((name) => headers[name] !== undefined)),
    [["authorization"], ["api-key"], ["x-api-key"], ["x-goog-api-key"]],
  );
});

Deno.test("Azure's batches are outside of deployments, and keep the API version", async () => {
  await using server = await startHttpServer(() => ({ json: {} }));
  const baseUrl = `${server.origin}/openai/deployments/mine?api-version=2026-01-01`;
  const http = httpOf(endpointOf(baseUrl, "azure"));
  await http.send({ method: "GET", path: "/batches", query: { limit: "5", after: undefined } });
  assert.deepEqual(server.calls(), ["GET /openai/batches"]);
  assert.deepEqual(server.requests[0].query, { "api-version": "2026-01-01", limit: "5" });
});

Deno.test("an absolute URL gets the key only at the origin of the base URL", async () => {
  await using own = await startHttpServer(() => ({ json: {} }));
  await using other = await startHttpServer(() => ({ json: {} }));
  const endpoint = { ...endpointOf(`${own.origin}/v1`), headers: { "x-team": "blue" } };
  const http = httpOf(endpoint);
  const headers = { "content-type": "text/plain" };
  for (const { origin } of [own, other]) {
    await http.send({
      method: "PUT",
      path: `${origin}/x?sig=1`,
      query: { n: "2" },
      headers,
      body: "x",
    });
  }
  const [mine] = own.requests;
  assert.equal(mine.headers.authorization, "Bearer sk-test-123456");
  assert.equal(mine.headers["x-team"], "blue");
  const [theirs] = other.requests;
  assert.deepEqual(theirs.query, { sig: "1", n: "2" });
  assert.equal(theirs.headers.authorization, undefined);
  assert.equal(theirs.headers["x-team"], undefined);
  assert.equal(theirs.headers["content-type"], "text/plain");
  await assert.rejects(http.send({ method: "GET", path: "file:///etc/passwd" }), {
    code: "malformed_response",
  });
});

Deno.test("a content type of the user's own headers does not replace the one of an upload", async () => {
  await using server = await startHttpServer(() => ({ json: {} }));
  const headers = { "Content-Type": "application/json", "X-Team": "blue" };
  const http = httpOf({ ...endpointOf(`${server.origin}/v1`), headers });
  const own = { "content-type": "multipart/form-data; boundary=b" };
  await http.send({ method: "POST", path: "/files", headers: own, body: chunks(1) });
  await http.send({ method: "POST", path: "/batches", json: {} });
  assert.deepEqual(server.requests.map(({ headers }) => headers["content-type"]), [
    "multipart/form-data; boundary=b",
    "application/json",
  ]);
  for (const { headers } of server.requests) assert.equal(headers["x-team"], "blue");
});

Deno.test("an error status becomes an error, without the key", async () => {
  await using server = await startHttpServer(({ path }) => {
    const status = Number(path.split("/").at(-1));
    const message = "Incorrect API key provided: sk-test-123456";
    return { status, json: { error: { message, code: "some_code" } } };
  });
  const http = httpOf(endpointOf(server.origin));
  const failure = (status: number) =>
    http.send({ method: "GET", path: `/${status}` }).then(() => undefined, (error) => error);
  const refused = await failure(400);
  assert.ok(refused instanceof HttpError);
  assert.equal(refused.status, 400);
  assert.equal(refused.providerCode, "some_code");
  assert.doesNotMatch(refused.message, /sk-test/);
  assert.ok(await failure(401) instanceof AuthenticationError);
  const down = await failure(502);
  assert.ok(down instanceof HttpError && down.retryable);
  await assert.rejects(collect(http.lines({ path: "/404" })), { status: 404 });
});

Deno.test("a web page is an error, other text is not", async () => {
  await using server = await startHttpServer(({ path }) =>
    path === "/page"
      ? { text: "<html>Log in</html>", headers: { "content-type": "text/html" } }
      : { text: "stored" }
  );
  const http = httpOf(endpointOf(server.origin));
  await assert.rejects(http.send({ method: "GET", path: "/page" }), /web page instead of JSON/);
  const { json, text } = await http.send({ method: "GET", path: "/text" });
  assert.deepEqual([json, text], [undefined, "stored"]);
});

Deno.test("redirects are returned if that is allowed, and else an error", async () => {
  await using server = await startHttpServer(() => ({
    status: 302,
    headers: { location: "https://storage.test/x?signature=secret" },
  }));
  const http = httpOf(endpointOf(server.origin));
  const answer = await http.send({ method: "POST", path: "/files", body: "", allowRedirect: true });
  assert.equal(answer.status, 302);
  assert.equal(answer.headers.get("location"), "https://storage.test/x?signature=secret");
  const error = await http.send({ method: "POST", path: "/files", body: "" }).catch((e) => e);
  assert.match(error.message, /redirects to https:\/\/storage\.test\/x/);
  assert.doesNotMatch(error.message, /secret/);
});

Deno.test("downloads follow redirects without taking the key along", async () => {
  await using storage = await startHttpServer(() => ({ text: "a\nb\n" }));
  await using server = await startHttpServer(({ path }) => ({
    status: 302,
    headers: { location: path === "/loop" ? "/loop" : `${storage.origin}/file?sig=1` },
  }));
  const http = httpOf(endpointOf(server.origin));
  const lines = await collect(http.lines({ path: "/content", allowRedirect: true }));
  assert.deepEqual(lines, ["a", "b"]);
  assert.equal(server.requests[0].headers.authorization, "Bearer sk-test-123456");
  assert.equal(storage.requests[0].headers.authorization, undefined);
  await assert.rejects(collect(http.lines({ path: "/content" })), /redirects to/);
  await assert.rejects(collect(http.lines({ path: "/loop", allowRedirect: true })), /redirects to/);
});

Deno.test("only a newline ends a line", async () => {
  const texts = ["a\u2028b\u2029c\u0085d", "e\rf", "ü€😀".repeat(20_000), "last"];
  const bytes = new TextEncoder().encode(`\n\n${texts[0]}\r\n \n${texts.slice(1).join("\n")}`);
  await using server = await startHttpServer((_request, response) => {
    response.writeHead(200);
    // Chunks that end in the middle of characters.
    for (let i = 0; i < bytes.length; i += 7919) response.write(bytes.subarray(i, i + 7919));
    response.end();
  });
  const http = httpOf(endpointOf(server.origin));
  const lines = await collect(http.lines({ path: "/file" }));
  assert.deepEqual(lines, [`${texts[0]}\r`, ...texts.slice(1)]);
});

Deno.test("a compressed download is complete", async () => {
  const text = "abc\n".repeat(1000);
  const zipped = new Response(
    new Blob([text]).stream().pipeThrough(new CompressionStream("gzip")),
  );
  const bytes = new Uint8Array(await zipped.arrayBuffer());
  await using server = await startHttpServer((_request, response) => {
    response.writeHead(200, { "content-encoding": "gzip", "content-length": bytes.length });
    response.end(bytes);
  });
  const lines = await collect(httpOf(endpointOf(server.origin)).lines({ path: "/file" }));
  assert.equal(lines.length, 1000);
});

Deno.test("a download that is cut off is an error, with any framing", async () => {
  const heads = ["content-length: 100", "transfer-encoding: chunked"];
  await using server = await startRawServer((socket, { path }) => {
    const isChunked = path.endsWith("1");
    socket.write(`HTTP/1.1 200 OK\r\n${heads[isChunked ? 1 : 0]}\r\n\r\n`);
    socket.write(isChunked ? "5\r\na\nb\nc\r\n" : "a\nb\nc", () => socket.end());
  });
  const http = httpOf(endpointOf(server.baseUrl));
  for (const path of ["/0", "/1"]) {
    const seen: string[] = [];
    const read = async () => {
      for await (const line of http.lines({ path })) seen.push(line);
    };
    await assert.rejects(read, ConnectionError);
    // The third line may be incomplete. Bun drops what it has received.
    assert.deepEqual(seen, ["a", "b"].slice(0, seen.length));
  }
});

Deno.test("a consumer that stops reading closes the connection", async () => {
  const closed = Promise.withResolvers<void>();
  await using server = await startHttpServer((_request, response) => {
    response.on("close", () => closed.resolve());
    response.writeHead(200);
    response.write("a\nb\n");
  });
  const http = httpOf(endpointOf(server.origin));
  for await (const line of http.lines({ path: "/file" })) {
    assert.equal(line, "a");
    break;
  }
  await closed.promise;
});

Deno.test("a server that stays silent exceeds the timeout, a slow one does not", async () => {
  await using server = await startHttpServer(({ path }, response) => {
    if (path === "/silent") return;
    response.writeHead(200);
    response.write("a\n");
    if (path === "/stalled") return;
    let left = 6;
    const timer = setInterval(() => {
      response.write("b\n");
      if (--left > 0) return;
      clearInterval(timer);
      response.end();
    }, 200);
  });
  const impatient = httpOf(endpointOf(server.origin), { timeout: 0.2 });
  const timeout = { code: "timeout", hint: /raise the timeout/ };
  await assert.rejects(impatient.send({ method: "GET", path: "/silent" }), timeout);
  await assert.rejects(collect(impatient.lines({ path: "/silent" })), timeout);
  await assert.rejects(collect(impatient.lines({ path: "/stalled" })), timeout);
  const patient = httpOf(endpointOf(server.origin), { timeout: 1 });
  assert.equal((await collect(patient.lines({ path: "/slow" }))).length, 7);
});

Deno.test("an upload that the server does not take exceeds the timeout", async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.pause();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const http = httpOf(endpointOf(`http://127.0.0.1:${port}`), { timeout: 0.5 });
    const cancelled = Promise.withResolvers<void>();
    const body = chunks(400, () => cancelled.resolve());
    await assert.rejects(http.send({ method: "POST", path: "/files", body }), { code: "timeout" });
    await cancelled.promise;
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

Deno.test("the signal cancels requests, uploads and downloads", async () => {
  await using server = await startHttpServer(() => {});
  const abort = new AbortController();
  const http = httpOf(endpointOf(server.origin), { signal: abort.signal });
  const pending = [
    http.send({ method: "GET", path: "/a" }),
    http.send({ method: "POST", path: "/b", body: chunks(2) }),
    collect(http.lines({ path: "/c" })),
  ].map((promise) => promise.then(() => undefined, (error) => error));
  while (server.requests.length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
  abort.abort();
  for (const error of await Promise.all(pending)) {
    assert.ok(error instanceof FlexLLMError);
    assert.equal(error.code, "aborted");
  }
});
