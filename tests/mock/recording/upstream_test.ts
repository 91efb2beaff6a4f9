/** What a recorder passes on to a real server and back, on the wire. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import * as zlib from "node:zlib";
import { type MockServer, startMockServer } from "../../../mod.ts";
import { upstreamUrl } from "../../../lib/mock/recording/upstream.ts";
import {
  jsonLines,
  type TemporaryFolder,
  temporaryFolder,
} from "../../support/temporary_folder.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Runs `use` with a recorder in front of a server, then with a replay of what it recorded. */
async function recorded(
  handler: Handler,
  use: (server: MockServer, mode: "record" | "replay") => Promise<void>,
): Promise<TemporaryFolder> {
  const folder = temporaryFolder();
  const file = folder.file("tape.jsonl");
  const real = createServer(handler);
  await new Promise<void>((resolve) => real.listen(0, "127.0.0.1", resolve));
  try {
    const url = `http://127.0.0.1:${(real.address() as AddressInfo).port}/v1`;
    {
      await using recorder = await startMockServer({ record: { url, file } });
      await use(recorder, "record");
    }
    {
      await using replay = await startMockServer({ replay: { file, speed: Infinity } });
      await use(replay, "replay");
    }
    return folder;
  } finally {
    real.closeAllConnections();
    await new Promise((resolve) => real.close(resolve));
  }
}

Deno.test("paths are joined without repeating what they share", () => {
  const join = (base: string, path: string) =>
    upstreamUrl(new URL(base), new URL(`http://127.0.0.1:8001${path}`));
  const cases = [
    ["https://a.example", "/v1/models?x=1", "https://a.example/v1/models?x=1"],
    ["https://a.example/v1", "/v1/models", "https://a.example/v1/models"],
    ["https://a.example/v1/", "/models", "https://a.example/v1/models"],
    [
      "https://a.example/api/v1",
      "/v1/chat/completions",
      "https://a.example/api/v1/chat/completions",
    ],
    ["https://a.example/api/v1", "/api/v1/models", "https://a.example/api/v1/models"],
    ["https://a.example/openai", "/v1/a%2Fb", "https://a.example/openai/v1/a%2Fb"],
    ["https://a.example", "/", "https://a.example/"],
  ];
  for (const [base, path, expected] of cases) assert.equal(join(base, path), expected);
});

Deno.test("headers and body reach the real server unchanged, but for the host", async () => {
  let seen: { headers: IncomingMessage["headers"]; body: string; path?: string } | undefined;
  const handler: Handler = async (request, response) => {
    const body = (await buffer(request)).toString();
    seen = { headers: request.headers, body, path: request.url };
    response.end("{}");
  };
  const text = '{ "model":"m",\n "n": 1.0 }';
  const headers = {
    authorization: "Bearer sk-very-secret-key",
    "content-type": "application/json",
    "openai-organization": "org-private-name",
    "x-custom": "value",
    cookie: "session=private-session",
  };
  using folder = await recorded(handler, async (server) => {
    const url = `http://127.0.0.1:${server.port}/v1/chat/completions?key=private-query-key`;
    assert.equal(await (await fetch(url, { method: "POST", headers, body: text })).text(), "{}");
  });
  assert.equal(seen!.body, text);
  assert.equal(seen!.path, "/v1/chat/completions?key=private-query-key");
  for (const [name, value] of Object.entries(headers)) assert.equal(seen!.headers[name], value);
  assert.doesNotMatch(folder.read("tape.jsonl"), /secret|private|org-/);
});

Deno.test("secrets in an answer are removed, even if chunks split them", async () => {
  const handler: Handler = (_, response) => {
    response.writeHead(401, {
      "set-cookie": "session=private-session",
      "openai-organization": "private-org",
      "x-request-id": "req_1",
      "x-ratelimit-remaining-tokens": "9",
      "x-echo": "Bearer sk-very-secret-key",
    });
    response.write('{"error":{"message":"Incorrect API key provided: sk-very-');
    // A pause would only make the split likelier: both halves may also arrive as one chunk.
    response.end('secret-key of org-AbCdEfGhIjKlMnOp in proj_AbCdEfGhIjKlMnOp."}}');
  };
  const bodies: string[] = [];
  using folder = await recorded(handler, async (server, mode) => {
    const headers = { authorization: "Bearer sk-very-secret-key" };
    const response = await fetch(`${server.baseUrl}/models`, { headers });
    bodies.push(await response.text());
    assert.equal(response.status, 401);
    assert.equal(response.headers.get("x-ratelimit-remaining-tokens"), "9");
    assert.equal(response.headers.has("set-cookie"), mode === "record");
  });
  assert.match(bodies[0], /sk-very-secret-key of org-AbC/);
  assert.equal(
    bodies[1],
    '{"error":{"message":"Incorrect API key provided: [key removed] of [key removed] in [key removed]."}}',
  );
  assert.doesNotMatch(folder.read("tape.jsonl"), /secret|private|AbCd/);
});

Deno.test("compressed answers reach the client and the recording decompressed", async () => {
  const text = JSON.stringify({ text: "Grüße, 世界! ".repeat(200) });
  const encoders: Record<string, (bytes: Buffer) => Buffer> = {
    gzip: zlib.gzipSync,
    br: zlib.brotliCompressSync,
    deflate: zlib.deflateSync,
    zstd: zlib.zstdCompressSync,
    identity: (bytes) => bytes,
  };
  const handler: Handler = (request, response) => {
    const name = request.url!.split("/").at(-1)!;
    const body = encoders[name](Buffer.from(text));
    response.writeHead(200, {
      "content-type": "application/json",
      "content-encoding": name,
      "content-length": body.length,
    });
    response.end(body);
  };
  using folder = await recorded(handler, async (server) => {
    for (const name of Object.keys(encoders)) {
      const headers = { "accept-encoding": "gzip, br, zstd, deflate" };
      const response = await fetch(`${server.baseUrl}/${name}`, { headers });
      assert.equal(await response.text(), text, name);
      assert.equal(response.headers.get("content-encoding"), null);
    }
  });
  for (const { response } of jsonLines(folder.read("tape.jsonl"))) {
    const body = response.chunks.map(({ text }: { text: string }) => text).join("");
    assert.equal(body, text);
  }
});

Deno.test("binary bodies and characters split between chunks come back as they were", async () => {
  const audio = Buffer.from([0xff, 0xfb, 0x90, 0x00, 0x0a, 0xc3, 0x28]);
  const euro = Buffer.from("data: 5 €\n\n");
  const handler: Handler = async (request, response) => {
    if (request.url!.endsWith("/audio")) {
      const sent = await buffer(request);
      response.writeHead(200, { "content-type": "audio/mpeg" });
      return void response.end(Buffer.concat([audio, sent]));
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(euro.subarray(0, 9));
    setTimeout(() => response.end(euro.subarray(9)), 30);
  };
  using folder = await recorded(handler, async (server) => {
    const response = await fetch(`${server.baseUrl}/audio`, { method: "POST", body: audio });
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), Buffer.concat([audio, audio]));
    const stream = await fetch(`${server.baseUrl}/stream`);
    assert.deepEqual(Buffer.from(await stream.arrayBuffer()), euro);
  });
  const [first, second] = jsonLines(folder.read("tape.jsonl"));
  assert.equal(first.request.base64, audio.toString("base64"));
  assert.equal(first.response.chunks[0].text, undefined);
  assert.ok(second.response.chunks.every(({ text }: { text?: string }) => text !== undefined));
});

Deno.test("multipart requests match, although their boundary is random", async () => {
  const handler: Handler = (request, response) => {
    request.resume().on("end", () => response.end("transcribed"));
  };
  using folder = await recorded(handler, async (server, mode) => {
    const send = async (bytes: number[]) => {
      const body = new FormData();
      body.set("model", "whisper-1");
      body.set("file", new Blob([new Uint8Array(bytes)]), "a.wav");
      const response = await fetch(`${server.baseUrl}/audio/transcriptions`, {
        method: "POST",
        body,
      });
      await response.text();
      return response.status;
    };
    assert.equal(await send([1, 2, 255]), 200);
    if (mode === "replay") assert.equal(await send([1, 2, 254]), 404);
  });
  assert.equal(jsonLines(folder.read("tape.jsonl")).length, 1);
});

Deno.test("an answer that the real server broke off is replayed broken", async () => {
  const handler: Handler = (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: 1\n\n");
    setTimeout(() => response.destroy(), 50);
  };
  using folder = await recorded(handler, async (server) => {
    const response = await fetch(`${server.baseUrl}/stream`);
    const reader = response.body!.getReader();
    const { value } = await reader.read();
    assert.equal(new TextDecoder().decode(value), "data: 1\n\n");
    await assert.rejects(async () => {
      while (!(await reader.read()).done);
    });
  });
  assert.equal(jsonLines(folder.read("tape.jsonl"))[0].response.end, "broken");
});

Deno.test("a client that leaves ends the request to the real server, and is recorded", async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const handler: Handler = (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: 1\n\n");
    response.on("close", resolve);
  };
  using folder = await recorded(handler, async (server) => {
    const leaving = new AbortController();
    const response = await fetch(`${server.baseUrl}/stream`, { signal: leaving.signal });
    const { value } = await response.body!.getReader().read();
    assert.equal(new TextDecoder().decode(value), "data: 1\n\n");
    leaving.abort();
    await closed;
  });
  assert.equal(jsonLines(folder.read("tape.jsonl"))[0].response.end, "aborted");
});

Deno.test("redirects, empty answers and other methods pass through and are replayed", async () => {
  const handler: Handler = (request, response) => {
    if (request.method === "DELETE") return void response.writeHead(204).end();
    if (request.method === "HEAD") return void response.writeHead(200, { "x-a": "b" }).end();
    response.writeHead(307, { location: "/elsewhere" }).end();
  };
  using _folder = await recorded(handler, async ({ baseUrl }) => {
    const redirected = await fetch(`${baseUrl}/files`, { redirect: "manual" });
    await redirected.body?.cancel();
    assert.deepEqual([redirected.status, redirected.headers.get("location")], [307, "/elsewhere"]);
    assert.equal((await fetch(`${baseUrl}/files/1`, { method: "DELETE" })).status, 204);
    const head = await fetch(`${baseUrl}/files/1`, { method: "HEAD" });
    assert.deepEqual([head.status, head.headers.get("x-a")], [200, "b"]);
  });
});
