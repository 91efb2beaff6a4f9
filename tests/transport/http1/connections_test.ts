/** When a connection is used for the next request, and that no request is lost or sent twice because of it. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import process from "node:process";
import { httpAnswer, startRawServer } from "../../support/raw_server.ts";
import { READERS, readWhole, until } from "./exchanges.ts";

const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`;

const REUSED: Record<string, string> = {
  "a length": httpAnswer(200, "hello"),
  "chunks": CHUNKED,
  "no body": "HTTP/1.1 204 No Content\r\n\r\n",
  "an error": httpAnswer(500, "{}"),
  "a redirect": httpAnswer(307, "", { location: "http://127.0.0.1:1/" }),
  "hints before it": `HTTP/1.1 103 Early Hints\r\n\r\n${CHUNKED}`,
};

for (const [name, answer] of Object.entries(REUSED)) {
  for (const [how, read] of Object.entries(READERS)) {
    Deno.test(`the connection of an answer with ${name} is used again (${how})`, async () => {
      await using server = await startRawServer((socket) => socket.write(answer));
      for (let i = 0; i < 5; i++) await read(server.baseUrl);
      assert.equal(server.connections(), 1);
      assert.equal(server.requests.length, 5);
    });
  }
}

const CLOSED: Record<string, string> = {
  "connection: close": `${OK}connection: close\r\ncontent-length: 5\r\n\r\nhello`,
  "Connection: CLOSE": `${OK}Connection: CLOSE\r\ncontent-length: 5\r\n\r\nhello`,
  "HTTP/1.0": "HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello",
  "chunks and connection: close": CHUNKED.replace(OK, `${OK}connection: close\r\n`),
};

for (const [name, answer] of Object.entries(CLOSED)) {
  Deno.test(`a connection with ${name} is closed by us and not used again`, async () => {
    await using server = await startRawServer((socket) => socket.write(answer));
    for (const read of Object.values(READERS)) {
      assert.equal((await read(server.baseUrl)).body, "hello");
    }
    assert.equal(server.connections(), 2);
    await until(() => server.closed() === 2);
  });
}

Deno.test("of several connections, Bun replaces the first ones", async () => {
  await using server = await startRawServer((socket) => socket.write(REUSED["a length"]));
  const readTwo = () => Promise.all([readWhole(server.baseUrl), readWhole(server.baseUrl)]);
  for (let i = 0; i < 5; i++) {
    for (const { body } of await readTwo()) assert.equal(body, "hello");
  }
  assert.equal(server.connections(), "bun" in process.versions ? 4 : 2);
  assert.equal(server.requests.length, 10);
});

Deno.test("what follows an answer is not used for the next one", async () => {
  const stray = httpAnswer(200, "stray");
  for (const answer of [httpAnswer(200, "hello"), CHUNKED]) {
    await using server = await startRawServer((socket, { number }) => {
      socket.write(number === 0 ? answer + stray : httpAnswer(200, `${number}`));
    });
    assert.equal((await readWhole(server.baseUrl)).body, "hello");
    assert.equal((await readWhole(server.baseUrl)).body, "1");
  }
});

Deno.test("what arrives on an idle connection is not used for the next answer", async () => {
  for (const junk of [httpAnswer(200, "stray"), "x", "\r\n"]) {
    const sockets: Socket[] = [];
    await using server = await startRawServer((socket, { number }) => {
      sockets.push(socket);
      socket.write(httpAnswer(200, `${number}`));
    });
    assert.equal((await readWhole(server.baseUrl)).body, "0");
    sockets[0].write(junk);
    await until(() => server.closed() === 1);
    assert.equal((await readWhole(server.baseUrl)).body, "1");
  }
});

Deno.test("a connection that the server closed while it was idle is replaced", async () => {
  for (const end of ["end", "destroy", "resetAndDestroy"] as const) {
    await using server = await startRawServer((socket, { number }) => {
      socket.write(httpAnswer(200, `${number}`), () => socket[end]());
    });
    for (let i = 0; i < 10; i++) {
      assert.equal((await readWhole(server.baseUrl)).body, `${i}`);
      await until(() => server.closed() === i + 1);
    }
    assert.equal(server.requests.length, 10);
  }
});

Deno.test("a server that begins to close connections silently loses one request at most", async () => {
  await using server = await startRawServer((socket, { number }) => {
    socket.write(httpAnswer(200, `${number}`));
    if (number >= 200) socket.end();
  });
  let failures = 0;
  for (let i = 0; i < 240; i++) {
    const error = await readWhole(server.baseUrl).then(() => undefined, (error) => error);
    if (error !== undefined) failures++;
  }
  assert(failures <= 1, `${failures}`);
});

Deno.test("an answer and the end of its connection may arrive together", async () => {
  const answers = [httpAnswer(200, "hello"), CHUNKED, `${OK}\r\nhello`];
  await using server = await startRawServer((socket, { number }) => {
    socket.end(answers[number % answers.length]);
  });
  for (let i = 0; i < 12; i++) {
    for (const read of Object.values(READERS)) {
      assert.equal((await read(server.baseUrl)).body, "hello");
    }
  }
  assert.equal(server.requests.length, 24);
});

Deno.test("a request is sent once, even if its connection closes meanwhile", async () => {
  // The server closes each connection at the second request, sometimes before it has read it.
  const uses = new Map<Socket, number>();
  await using server = await startRawServer((socket, { number }) => {
    const count = (uses.get(socket) ?? 0) + 1;
    uses.set(socket, count);
    if (count === 1) socket.write(httpAnswer(200, `${number}`));
    else if (number % 2 === 0) socket.destroy();
    else socket.resetAndDestroy();
  });
  let answers = 0;
  let failures = 0;
  for (let i = 0; i < 40; i++) {
    await readWhole(server.baseUrl, { body: `{"i":${i}}` }).then(() => answers++, () => failures++);
  }
  const bodies = server.requests.map(({ body }) => body);
  assert.equal(new Set(bodies).size, bodies.length);
  assert.deepEqual([answers, failures], [20, 20]);
});
