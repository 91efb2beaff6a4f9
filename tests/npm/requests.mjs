/**
 * How the library sends requests on Node, where it bypasses `fetch`. Runs in a project with the package.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";

// Not a static import: the package is installed next to the copy of this file that runs.
const library = "flexllm";
const { LLMClient } = await import(library);
const DISPATCHER = Symbol.for("undici.globalDispatcher.1");
const MESSAGES = [{ role: "user", content: "Hi" }];

function answer(content) {
  return JSON.stringify({ choices: [{ message: { content }, finish_reason: "stop" }] });
}

function event(content) {
  return `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`;
}

/** Headers of the requests, and for each model how the server answers. */
const received = [];
let closed = Promise.resolve();
const ANSWERS = {
  plain: (response) => response.end(answer("é")),
  chunked(response) {
    response.write(answer("é").slice(0, 20));
    setImmediate(() => response.end(answer("é").slice(20)));
  },
  zipped(response) {
    response.setHeader("content-encoding", "gzip");
    response.end(gzipSync(answer("é")));
  },
  stream(response) {
    response.setHeader("content-type", "text/event-stream");
    response.write(event("a"));
    setImmediate(() => response.end(`${event("b")}data: [DONE]\n\n`));
  },
  openStream(response) {
    response.setHeader("content-type", "text/event-stream");
    response.write(event("a"));
  },
  endless(response) {
    const part = Buffer.alloc(1024 * 1024, "x");
    const write = () => {
      while (response.write(part));
    };
    response.on("drain", write);
    write();
  },
  silent() {},
  redirected(response) {
    response.writeHead(307, { location: "/elsewhere" }).end();
  },
  dropped: (response) => response.socket.destroy(),
  cut(response) {
    response.setHeader("content-length", "1000");
    response.write("{", () => response.socket.destroy());
  },
};
const server = http.createServer(async (request, response) => {
  received.push(request);
  closed = new Promise((resolve) => request.socket.once("close", resolve));
  const { model } = JSON.parse(await new Response(request).text());
  ANSWERS[model](response);
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
after(() => server.close().closeAllConnections());

function client(model, options) {
  const baseUrl = `http://127.0.0.1:${server.address().port}/v1`;
  return new LLMClient({ baseUrl, model, retryTimes: 0, ...options });
}

async function ask(model, options, call) {
  return (await client(model, options).chatCompletions(MESSAGES, call)).content;
}

// The first request creates what the others use.
await ask("plain");
received.length = 0;

test("answers are read in every form, without fetch", async () => {
  for (const model of ["plain", "chunked", "zipped"]) assert.equal(await ask(model), "é");
  let text = "";
  for await (const piece of client("stream").chatCompletionsStream(MESSAGES)) text += piece;
  assert.equal(text, "ab");
  assert.equal(received.length, 4);
  // Only fetch sends this one.
  for (const { headers } of received) assert.equal(headers["sec-fetch-mode"], undefined);
});

test("a cancelled request, a timeout and a large answer close the connection", async () => {
  await assert.rejects(ask("silent", { timeout: 0.3 }), { code: "timeout" });
  await closed;
  const controller = new AbortController();
  const sent = once(server, "request");
  const cancelled = ask("silent", {}, { signal: controller.signal });
  await sent;
  controller.abort();
  await assert.rejects(cancelled, { code: "aborted" });
  await closed;
  await assert.rejects(ask("silent", {}, { signal: controller.signal }), { code: "aborted" });
  for await (const piece of client("openStream").chatCompletionsStream(MESSAGES)) {
    assert.equal(piece, "a");
    break;
  }
  await closed;
  await assert.rejects(ask("endless"), /the answer is larger than 64 MiB/);
  await closed;
});

test("broken connections are reported, and no request is repeated", async () => {
  received.length = 0;
  const cut = /^ConnectionError: the connection was closed before the answer was complete/;
  await ask("plain");
  await assert.rejects(ask("dropped"), cut);
  await assert.rejects(ask("cut"), cut);
  await assert.rejects(ask("redirected"), /307/);
  assert.equal(received.length, 4);
  const free = http.createServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  const baseUrl = `http://127.0.0.1:${free.address().port}/v1`;
  free.close();
  await assert.rejects(ask("plain", { baseUrl }), /^ConnectionError: connection refused/);
});

test("the dispatcher of the application is used, such as a proxy's", async () => {
  const own = globalThis[DISPATCHER];
  const paths = [];
  globalThis[DISPATCHER] = {
    dispatch(options, handler) {
      paths.push(options.path);
      return own.dispatch(options, handler);
    },
  };
  assert.equal(await ask("plain"), "é");
  globalThis[DISPATCHER] = own;
  assert.deepEqual(paths, ["/v1/chat/completions"]);
});

test("a fetch that replaces Node's is used", async () => {
  const own = globalThis.fetch;
  globalThis.fetch = () => Promise.resolve(new Response(answer("replaced")));
  assert.equal(await ask("plain"), "replaced");
  globalThis.fetch = own;
});
