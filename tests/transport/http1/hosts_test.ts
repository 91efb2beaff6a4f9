/** Names and addresses of servers, and replaced `fetch` functions. */
import assert from "node:assert/strict";
import { lookup } from "node:dns/promises";
import { type AddressInfo, createServer } from "node:net";
import { httpAnswer, startRawServer } from "../../support/raw_server.ts";
import { failureOf, readStreamed, readWhole } from "./exchanges.ts";

const HELLO = httpAnswer(200, "hello");

/** Whether this machine has addresses of IPv6. */
const hasIpv6 = await new Promise<boolean>((resolve) => {
  const server = createServer().listen(0, "::1", () => server.close(() => resolve(true)));
  server.on("error", () => resolve(false));
});

/** What "localhost" is on this machine. */
const LOCALHOST = await lookup("localhost", { all: true });

/** The URL of a server under another host name. */
function at(host: string, { baseUrl }: { baseUrl: string }): string {
  return `http://${host}:${new URL(baseUrl).port}/v1`;
}

Deno.test("an IPv6 address", { ignore: !hasIpv6 }, async () => {
  await using server = await startRawServer((socket) => socket.write(HELLO), { host: "::1" });
  for (let i = 0; i < 2; i++) assert.equal((await readWhole(server.baseUrl)).body, "hello");
  assert.equal(server.requests[0].headers.get("host"), new URL(server.baseUrl).host);
  assert.equal(server.connections(), 1);
});

for (const family of ["127.0.0.1", "::1"]) {
  const ignore = !LOCALHOST.some(({ address }) => address === family);
  Deno.test(`localhost, where a server listens at ${family} only`, { ignore }, async () => {
    await using server = await startRawServer((socket) => socket.write(HELLO), { host: family });
    const url = at("localhost", server);
    for (let i = 0; i < 2; i++) assert.equal((await readWhole(url)).body, "hello");
    assert.equal(server.requests[0].headers.get("host"), new URL(url).host);
    assert.equal(server.connections(), 1);
  });
}

Deno.test("addresses in other notations, and names in capitals", async () => {
  await using server = await startRawServer((socket) => socket.write(HELLO));
  for (const host of ["LocalHost", "127.1", "0x7f.0.0.1", "2130706433"]) {
    assert.equal((await readWhole(at(host, server))).body, "hello", host);
  }
});

Deno.test("connections belong to one host and port", async () => {
  await using one = await startRawServer((socket) => socket.write(httpAnswer(200, "one")));
  await using two = await startRawServer((socket) => socket.write(httpAnswer(200, "two")));
  for (let i = 0; i < 2; i++) {
    assert.equal((await readWhole(one.baseUrl)).body, "one");
    assert.equal((await readWhole(two.baseUrl)).body, "two");
  }
  assert.deepEqual([one.connections(), two.connections()], [1, 1]);
});

Deno.test("a server that starts again at the same port is reached", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", () => socket.end(HELLO));
  });
  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/v1`;
  assert.equal((await readWhole(url)).body, "hello");
  await new Promise((resolve) => server.close(resolve));
  assert.match((await failureOf(readWhole(url))).message, /^connection refused/);
  await listen(port);
  assert.equal((await readWhole(url)).body, "hello");
  await new Promise((resolve) => server.close(resolve));
});

const UNREACHABLE: Record<string, [host: string, message: string]> = {
  "a port that nothing listens at": ["127.0.0.1", "connection refused"],
  "such a port at localhost": ["localhost", "connection refused"],
  "a name that cannot be resolved": ["nope.invalid", "the host name cannot be resolved"],
};

for (const [name, [host, message]] of Object.entries(UNREACHABLE)) {
  Deno.test(`${name} is an error, and nothing was sent`, async () => {
    // Not a port that has just become free: another process may listen there.
    const url = at(host, { baseUrl: "http://127.0.0.1:1/v1" });
    for (const read of [readWhole, readStreamed]) {
      const error = await failureOf(read(url));
      assert.equal(error.message, `${message} (${url})`);
      assert.equal(error.code, "connection");
      assert("sent" in error && !error.sent);
    }
  });
}

Deno.test("a redirect is returned, not followed", async () => {
  await using server = await startRawServer((socket, { path }) => {
    socket.write(httpAnswer(path === "/v1" ? 308 : 200, "{}", { location: "/elsewhere" }));
  });
  const { status, headers } = await readWhole(server.baseUrl);
  assert.deepEqual([status, headers.get("location")], [308, "/elsewhere"]);
  assert.equal(server.requests.length, 1);
});

Deno.test("a `fetch` that replaces the global one is used, as long as it does", async () => {
  await using server = await startRawServer((socket) => socket.write(HELLO));
  const { fetch } = globalThis;
  const urls: string[] = [];
  try {
    globalThis.fetch = (input) => {
      urls.push(String(input));
      return Promise.resolve(new Response("replaced"));
    };
    assert.equal((await readWhole(server.baseUrl)).body, "replaced");
    assert.equal((await readStreamed(server.baseUrl)).body, "replaced");
  } finally {
    globalThis.fetch = fetch;
  }
  assert.equal((await readWhole(server.baseUrl)).body, "hello");
  assert.deepEqual([urls, server.requests.length], [[server.baseUrl, server.baseUrl], 1]);
});

Deno.test("the user name and password of a URL become a header", async () => {
  await using server = await startRawServer((socket) => socket.write(HELLO));
  assert.equal((await readWhole(at("user:p%40ss@127.0.0.1", server))).body, "hello");
  const [{ headers, path }] = server.requests;
  assert.equal(path, "/v1");
  assert.equal(headers.get("host"), new URL(server.baseUrl).host);
  assert.equal(headers.get("authorization"), `Basic ${btoa("user:p@ss")}`);
});
