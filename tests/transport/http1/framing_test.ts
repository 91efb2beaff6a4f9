/** Where the body of an answer ends. Source: RFC 9112, sections 6 and 7. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { startRawServer } from "../../support/raw_server.ts";
import { READERS } from "./exchanges.ts";

interface Framed {
  name: string;
  /** Characters are bytes, as in Latin-1. */
  answer: string;
  body: string;
  status?: number;
  /** Whether the server closes the connection after the answer. */
  closes?: true;
}

const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${OK}transfer-encoding: chunked\r\n`;

const ANSWERS: Framed[] = [
  { name: "a length", answer: `${OK}content-length: 5\r\n\r\nhello`, body: "hello" },
  { name: "a length of zero", answer: `${OK}content-length: 0\r\n\r\n`, body: "" },
  { name: "a length with zeros", answer: `${OK}content-length: 0005\r\n\r\nhello`, body: "hello" },
  {
    name: "a length that is repeated",
    answer: `${OK}content-length: 5\r\ncontent-length: 5\r\n\r\nhello`,
    body: "hello",
  },
  {
    name: "header names in any case, and values without spaces or with many",
    answer: `${OK}CONTENT-Length:5\r\nX-A:\r\nx-b: \t b \t\r\n\r\nhello`,
    body: "hello",
  },
  { name: "no reason phrase", answer: "HTTP/1.1 200 \r\ncontent-length: 2\r\n\r\nhi", body: "hi" },
  { name: "no space after it", answer: "HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nhi", body: "hi" },
  {
    name: "chunks",
    answer: `${CHUNKED}\r\n5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n`,
    body: "hello world",
  },
  { name: "no chunk but the last", answer: `${CHUNKED}\r\n0\r\n\r\n`, body: "" },
  {
    name: "sizes in upper case and with zeros",
    answer: `${CHUNKED}\r\n00A\r\n0123456789\r\n0000c\r\n0123456789ab\r\n000\r\n\r\n`,
    body: "01234567890123456789ab",
  },
  {
    name: "extensions of chunks",
    answer: `${CHUNKED}\r\n5;a=b\r\nhello\r\n2;c="d;e"\r\n!!\r\n0;last\r\n\r\n`,
    body: "hello!!",
  },
  {
    name: "trailers",
    answer: `${CHUNKED}trailer: x-sum\r\n\r\n2\r\nhi\r\n0\r\nx-sum: 1\r\nx-more: 2\r\n\r\n`,
    body: "hi",
  },
  {
    name: "line breaks in chunks",
    answer: `${CHUNKED}\r\n9\r\n\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n`,
    body: "\r\n0\r\n\r\n\r\n",
  },
  {
    name: "the coding in upper case",
    answer: `${OK}Transfer-Encoding: CHUNKED\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
    body: "hi",
  },
  {
    name: "chunks that count although there is a length",
    answer: `${CHUNKED}content-length: 3\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    body: "hello",
  },
  {
    name: "the end of the connection",
    answer: `${OK}content-type: text/plain\r\n\r\nhello`,
    body: "hello",
    closes: true,
  },
  { name: "no headers", answer: `${OK}\r\nhello`, body: "hello", closes: true },
  {
    name: "HTTP/1.0 with a length",
    answer: "HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    body: "hello",
  },
  { name: "HTTP/1.0 without", answer: "HTTP/1.0 200 OK\r\n\r\nhello", body: "hello", closes: true },
  {
    name: "a length and `connection: close`",
    answer: `${OK}Connection: Close\r\ncontent-length: 5\r\n\r\nhello`,
    body: "hello",
  },
  {
    name: "chunks and `connection: close` among others",
    answer: `${CHUNKED}connection: foo, close\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
    body: "hi",
  },
  {
    name: "100 (Continue) before it",
    answer: `HTTP/1.1 100 Continue\r\n\r\n${OK}content-length: 2\r\n\r\nhi`,
    body: "hi",
  },
  {
    name: "103 (Early Hints) twice before it",
    answer: `${"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(2)}${CHUNKED}\r\n0\r\n\r\n`,
    body: "",
  },
  { name: "204", answer: "HTTP/1.1 204 No Content\r\n\r\n", body: "", status: 204 },
  {
    name: "304 with the length that it would have",
    answer: "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n",
    body: "",
    status: 304,
  },
  {
    name: "an error",
    answer: "HTTP/1.1 429 Slow Down\r\nretry-after: 1\r\ncontent-length: 2\r\n\r\n{}",
    body: "{}",
    status: 429,
  },
  {
    name: "characters of several bytes",
    answer: `${OK}content-length: 9\r\n\r\n${Buffer.from("ä€😀").toString("latin1")}`,
    body: "ä€😀",
  },
  {
    name: "chunks that end within a character",
    answer: `${CHUNKED}\r\n2\r\n\xf0\x9f\r\n1\r\n\x98\r\n1\r\n\x80\r\n0\r\n\r\n`,
    body: "😀",
  },
  {
    name: "bytes that are no characters",
    answer: `${OK}content-length: 4\r\n\r\na\xff\xfeb`,
    body: "a\ufffd\ufffdb",
  },
];

/** Sends an answer in one piece, or in two. */
async function write(socket: Socket, { answer, closes }: Framed, at: number): Promise<void> {
  const bytes = Buffer.from(answer, "latin1");
  if (at > 0) {
    socket.write(bytes.subarray(0, at));
    await nextTurn();
  }
  if (closes) socket.end(bytes.subarray(at));
  else socket.write(bytes.subarray(at));
}

for (const framed of ANSWERS) {
  const { name, body, status = 200, answer, closes } = framed;
  for (const [how, read] of Object.entries(READERS)) {
    Deno.test(`an answer with ${name} is read, wherever it is split (${how})`, async () => {
      await using server = await startRawServer((socket, { number }) =>
        write(socket, framed, number)
      );
      for (let at = 0; at < answer.length; at++) {
        const answered = await read(server.baseUrl);
        assert.deepEqual([answered.body, answered.status], [body, status], `split at ${at}`);
      }
      assert.equal(server.requests.length, answer.length);
    });
  }

  Deno.test(`an answer with ${name} is read, byte by byte`, async () => {
    await using server = await startRawServer(async (socket) => {
      for (const byte of Buffer.from(answer, "latin1")) {
        socket.write(Uint8Array.of(byte));
        await nextTurn();
      }
      if (closes) socket.end();
    });
    for (const read of Object.values(READERS)) {
      const answered = await read(server.baseUrl);
      assert.deepEqual([answered.body, answered.status], [body, status]);
    }
  });
}
