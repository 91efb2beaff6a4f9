/** Answers that are not HTTP, or whose length is unclear, are errors: never a wrong or shortened text. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type RawServer, startRawServer } from "../../support/raw_server.ts";
import { failureOf, READERS, readWhole, until } from "./exchanges.ts";

const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`;

/** A server that sends bytes, with a character for each. It waits for what the client does, or closes. */
function serverOf(answer: string, closes = false): Promise<RawServer> {
  return startRawServer((socket) => {
    socket.write(Buffer.from(answer, "latin1"));
    if (closes) socket.end();
  });
}

const NOT_HTTP: Record<string, string> = {
  "an SSH banner": "SSH-2.0-OpenSSH_9.6\r\n",
  "an SMTP greeting": "220 mail.test ESMTP ready\r\n",
  "an error of Redis": "-ERR unknown command 'POST'\r\n",
  "an alert of TLS": "\x15\x03\x01\x00\x02\x02\x46",
  "a frame of HTTP/2":
    "\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\x00\x04\x00\x01\x00",
  "zeros": "\0".repeat(100),
  "a body without a head": '{"error": "no head"}\r\n\r\n',
  "another protocol": "RTSP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
  "HTTP/2 as text": "HTTP/2 200 OK\r\ncontent-length: 0\r\n\r\n",
  "no status": "HTTP/1.1\r\ncontent-length: 0\r\n\r\n",
  "a word as status": "HTTP/1.1 OK\r\ncontent-length: 0\r\n\r\n",
  "two digits as status": "HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n",
  "a header without a colon": `${OK}content-length 0\r\nx\r\n\r\n`,
  "a header without a name": `${OK}: 0\r\ncontent-length: 0\r\n\r\n`,
  "a zero byte in a header": `${OK}x: a\0b\r\ncontent-length: 0\r\n\r\n`,
  "a bare CR in a header": `${OK}x: a\rcontent-length: 5\r\ncontent-length: 0\r\n\r\n`,
};

const UNCLEAR: Record<string, string> = {
  "differing lengths": `${OK}content-length: 5\r\ncontent-length: 6\r\n\r\nhello!`,
  "differing lengths in one header": `${OK}content-length: 5, 6\r\n\r\nhello!`,
  "a negative length": `${OK}content-length: -5\r\n\r\nhello`,
  "a signed length": `${OK}content-length: +5\r\n\r\nhello`,
  "a length with a fraction": `${OK}content-length: 5.0\r\n\r\nhello`,
  "an exponent": `${OK}content-length: 1e1\r\n\r\nhello12345`,
  "a hexadecimal length": `${OK}content-length: 0x5\r\n\r\nhello`,
  "a length that is a word": `${OK}content-length: five\r\n\r\nhello`,
  "a length of digits and letters": `${OK}content-length: 5a\r\n\r\nhello`,
  "two numbers": `${OK}content-length: 5 5\r\n\r\nhello`,
  "a length beyond 2⁶⁴": `${OK}content-length: 18446744073709551621\r\n\r\nhello`,
  "a chunk size that is no number": `${CHUNKED}xyz\r\nhello\r\n0\r\n\r\n`,
  "a negative chunk size": `${CHUNKED}-5\r\nhello\r\n0\r\n\r\n`,
  "a chunk size in C": `${CHUNKED}0x5\r\nhello\r\n0\r\n\r\n`,
  "no chunk size": `${CHUNKED}\r\nhello\r\n0\r\n\r\n`,
  "an extension without a size": `${CHUNKED};a=b\r\nhello\r\n0\r\n\r\n`,
  "a chunk longer than its size": `${CHUNKED}4\r\nhello\r\n0\r\n\r\n`,
  "a chunk shorter than its size": `${CHUNKED}6\r\nhello\r\n0\r\n\r\n`,
  "a chunk size beyond 2⁶⁴": `${CHUNKED}10000000000000005\r\nhello\r\n0\r\n\r\n`,
};

for (const [name, answer] of Object.entries(NOT_HTTP)) {
  for (const [how, read] of Object.entries(READERS)) {
    Deno.test(`an answer with ${name} is not HTTP (${how})`, async () => {
      await using server = await serverOf(answer, true);
      const error = await failureOf(read(server.baseUrl));
      assert.equal(error.message, `the server's answer is not HTTP (${server.baseUrl})`);
      assert.equal(error.code, "connection");
      assert("sent" in error && error.sent);
    });
  }
}

for (const [name, answer] of Object.entries(UNCLEAR)) {
  for (const [how, read] of Object.entries(READERS)) {
    Deno.test(`an answer with ${name} is an error (${how})`, async () => {
      await using server = await serverOf(answer);
      const error = await failureOf(read(server.baseUrl));
      const problem = /^(the server's answer is not HTTP|the connection was closed before .*) \(/;
      assert.match(error.message, problem);
      assert.equal(error.code, "connection");
      assert("sent" in error && error.sent);
      await until(() => server.closed() === 1);
    });
  }
}

/** Deviations that some clients accept. */
const TOLERABLE: Record<string, string> = {
  "a space before a colon": `${OK}content-length : 5\r\n\r\nhello`,
  "line feeds only": "HTTP/1.1 200 OK\ncontent-length: 5\n\nhello",
  "line feeds only in the headers": "HTTP/1.1 200 OK\r\ncontent-length: 5\nx: y\r\n\r\nhello",
  "line feeds only around chunks": `${CHUNKED}5\nhello\n0\n\n`,
  "spaces around a chunk size": `${CHUNKED}5  \r\nhello\r\n0 ; x\r\n\r\n`,
  "a folded header": `${OK}x: a\r\n b\r\ncontent-length: 5\r\n\r\nhello`,
  "a line break before it": `\r\n${OK}content-length: 5\r\n\r\nhello`,
  "a length that is repeated in one header": `${OK}content-length: 5, 5\r\n\r\nhello`,
  "a header name with a space": `${OK}x y: z\r\ncontent-length: 5\r\n\r\nhello`,
  "a lower-case protocol": "http/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
  "HTTP/1.2": "HTTP/1.2 200 OK\r\ncontent-length: 5\r\n\r\nhello",
  "HTTP/3.0": "HTTP/3.0 200 OK\r\ncontent-length: 5\r\n\r\nhello",
  "status 99": "HTTP/1.1 099 X\r\ncontent-length: 5\r\n\r\nhello",
  "status 999": "HTTP/1.1 999 X\r\ncontent-length: 5\r\n\r\nhello",
  "four digits as status": "HTTP/1.1 2000 OK\r\ncontent-length: 5\r\n\r\nhello",
  "an empty length": `${OK}content-length:\r\n\r\nhello`,
  "chunks of chunks": `${OK}transfer-encoding: chunked\r\n${
    CHUNKED.slice(OK.length)
  }5\r\nhello\r\n0\r\n\r\n`,
};

for (const [name, answer] of Object.entries(TOLERABLE)) {
  Deno.test(`an answer with ${name} is read, or is an error`, async () => {
    await using server = await serverOf(answer);
    for (const read of Object.values(READERS)) {
      const text = await read(server.baseUrl).then(({ body }) => body, ({ code }) => code);
      assert(text === "hello" || text === "connection", text);
    }
  });
}

Deno.test("bytes beyond ASCII in headers are read as Latin-1", async () => {
  await using server = await serverOf(`${OK}x: caf\xe9\r\ncontent-length: 5\r\n\r\nhello`);
  for (const read of Object.values(READERS)) {
    const { headers, body } = await read(server.baseUrl);
    assert.deepEqual([headers.get("x"), body], ["caf\xe9", "hello"]);
  }
});

Deno.test("headers that are repeated are joined", async () => {
  const repeated = "x: a\r\nX: b\r\nset-cookie: a=1, b\r\nset-cookie: c=2\r\n";
  await using server = await serverOf(`${OK}${repeated}content-length: 5\r\n\r\nhello`);
  for (const read of Object.values(READERS)) {
    const { headers } = await read(server.baseUrl);
    assert.equal(headers.get("x"), "a, b");
    assert.deepEqual(headers.getSetCookie(), ["a=1, b", "c=2"]);
  }
});

Deno.test("large headers are read, and larger ones are an error", async () => {
  const large = `${OK}x: ${"x".repeat(8_000)}\r\ncontent-length: 5\r\n\r\nhello`;
  const many = `${OK}${"x: 1234\r\n".repeat(90)}content-length: 5\r\n\r\nhello`;
  for (const answer of [large, many]) {
    await using server = await serverOf(answer);
    assert.equal((await readWhole(server.baseUrl)).body, "hello");
  }
  const tooLarge = `${OK}x: ${"x".repeat(2_000_000)}\r\ncontent-length: 5\r\n\r\nhello`;
  await using server = await serverOf(tooLarge);
  for (const read of Object.values(READERS)) {
    const error = await failureOf(read(server.baseUrl));
    assert.match(error.message, /^the headers of the answer are too large \(/);
  }
  await until(() => server.closed() === 2);
});
