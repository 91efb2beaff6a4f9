/** Real traffic is recorded and replayed as it was, for every format and with the official packages. */
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import { existsSync } from "node:fs";
import { type MockOptions, type MockServer, startMockServer } from "../../../mod.ts";
import { jsonLines, temporaryFolder } from "../../support/temporary_folder.ts";

const HELLO = [{ role: "user" as const, content: "Hello there" }];
const KEY = "sk-very-secret-key";

/** Calls the APIs that the vendors' packages offer, and returns what they saw. */
async function callAll({ port }: MockServer): Promise<unknown[]> {
  const root = `http://127.0.0.1:${port}`;
  const openai = new OpenAI({ baseURL: `${root}/v1`, apiKey: KEY, maxRetries: 0 });
  const anthropic = new Anthropic({ baseURL: root, apiKey: KEY, maxRetries: 0 });
  const google = new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: root } });
  const seen: unknown[] = [];
  const message = { model: "claude-x", max_tokens: 50, messages: HELLO };
  const contents = { model: "gemini-x", contents: "Hello there" };
  seen.push(await openai.chat.completions.create({ model: "m", messages: HELLO }));
  for await (
    const chunk of await openai.chat.completions.create({
      model: "m",
      messages: HELLO,
      stream: true,
      stream_options: { include_usage: true },
    })
  ) seen.push(chunk);
  seen.push(await openai.responses.create({ model: "m", input: "Hi" }));
  for await (
    const event of await openai.responses.create({ model: "m", input: "Hi", stream: true })
  ) {
    seen.push(event);
  }
  seen.push(await openai.embeddings.create({ model: "e", input: ["a", "b"], dimensions: 8 }));
  seen.push((await openai.models.list()).data);
  seen.push(await anthropic.messages.create(message));
  for await (const event of await anthropic.messages.create({ ...message, stream: true })) {
    seen.push(event);
  }
  const answer = await google.models.generateContent(contents);
  seen.push(answer.candidates);
  for await (const chunk of await google.models.generateContentStream(contents)) {
    seen.push(chunk.candidates, chunk.usageMetadata);
  }
  await openai.chat.completions.create({ model: "", messages: [] }).catch((error) =>
    seen.push([error.status, error.message, error.param])
  );
  return seen;
}

async function serve(options: MockOptions, use: (server: MockServer) => Promise<void>) {
  await using server = await startMockServer(options);
  await use(server);
}

Deno.test("the official packages see the same answers from a recorder and from its replay", async () => {
  using folder = temporaryFolder();
  const file = folder.file("tape.jsonl");
  let recorded: unknown[] = [];
  await using real = await startMockServer({ models: ["a", "b"], length: [40, 200] });
  await serve({ record: { url: real.baseUrl.replace("/v1", ""), file } }, async (recorder) => {
    recorded = await callAll(recorder);
  });
  assert.ok(recorded.length > 20);
  await real.close();
  await serve({ replay: { file, speed: Infinity } }, async (replay) => {
    assert.deepEqual(await callAll(replay), recorded);
    // The last answers repeat.
    assert.deepEqual(await callAll(replay), recorded);
  });
  assert.equal(folder.read("tape.jsonl").includes("secret"), false);
});

const CHAT = { model: "m", messages: HELLO };

function post(server: MockServer, body: unknown, init: RequestInit = {}): Promise<Response> {
  return fetch(`${server.baseUrl}/chat/completions`, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...init,
  });
}

Deno.test("bodies, status and headers of a replay are those of the recording, byte for byte", async () => {
  using folder = temporaryFolder();
  const file = folder.file("tape.jsonl");
  const requests = [
    CHAT,
    { ...CHAT, stream: true },
    { ...CHAT, messages: [{ role: "wizard", content: "Hi" }] },
    "not json",
  ];
  const readAll = async (server: MockServer) => {
    const seen = [];
    for (const request of requests) {
      const response = await post(server, request);
      const { "content-type": type, "x-request-id": id } = Object.fromEntries(response.headers);
      seen.push([response.status, type, id, await response.text()]);
    }
    return seen;
  };
  await using real = await startMockServer();
  await using recorder = await startMockServer({ record: { url: real.baseUrl, file } });
  const recorded = await readAll(recorder);
  assert.deepEqual(recorded.map(([status]) => status), [200, 200, 400, 400]);
  await using replay = await startMockServer({ replay: file });
  assert.deepEqual(await readAll(replay), recorded);
});

Deno.test("rate limits are replayed with their headers, and the nth request gets the nth answer", async () => {
  using folder = temporaryFolder();
  const file = folder.file("tape.jsonl");
  await using real = await startMockServer({ rps: 0.001 });
  await using recorder = await startMockServer({ record: { url: real.baseUrl, file } });
  const statuses = async (server: MockServer, count: number) => {
    const all = [];
    for (let i = 0; i < count; i++) {
      const response = await post(server, CHAT);
      await response.text();
      all.push([response.status, response.headers.get("retry-after") !== null]);
    }
    return all;
  };
  const expected = [[200, false], [429, true]];
  assert.deepEqual(await statuses(recorder, 2), expected);
  await serve({ replay: file }, async (server) => {
    assert.deepEqual(await statuses(server, 3), [...expected, [429, true]]);
  });
  await serve({ replay: { file, repeat: false } }, async (server) => {
    assert.deepEqual(await statuses(server, 2), expected);
    const response = await post(server, CHAT);
    assert.equal(response.status, 404);
    const { error } = await response.json();
    assert.match(error.message, /was already replayed \(line 1, 2\)/);
  });
});

Deno.test("requests match whatever the order of fields, the notation of numbers and the key", async () => {
  using folder = temporaryFolder();
  const file = folder.file("tape.jsonl");
  await using real = await startMockServer();
  await using recorder = await startMockServer({ record: { url: real.baseUrl, file } });
  await (await post(recorder, { ...CHAT, temperature: 1, seed: 5 })).text();
  await (await fetch(`${recorder.baseUrl}/models?key=first-key&pageSize=5&pageToken=x`)).text();
  await using replay = await startMockServer({ replay: file });
  const text =
    '{"seed":5, "temperature": 1.0,\n"messages":[{"content":"Hello there","role":"user"}],' +
    '"model":"m"}';
  const headers = { authorization: "Bearer another" };
  const response = await post(replay, text, { headers });
  assert.equal(response.status, 200);
  await response.text();
  const statusOf = async (query: string) => {
    const response = await fetch(`${replay.baseUrl}/models?${query}`);
    await response.text();
    return response.status;
  };
  assert.equal(await statusOf("pageToken=x&pageSize=5&key=second-key"), 200);
  assert.equal(await statusOf("pageToken=y&pageSize=5"), 404);
});

Deno.test("a request that was not recorded gets a 404 in its format, with the first difference", async () => {
  using folder = temporaryFolder();
  const file = folder.file("tape.jsonl");
  await using real = await startMockServer();
  await using recorder = await startMockServer({ record: { url: real.baseUrl, file } });
  const long = "x".repeat(500);
  await (await post(recorder, { model: "other", messages: [{ role: "user", content: "?" }] }))
    .text();
  await (await post(recorder, { ...CHAT, user: `${long} a ${long}` })).text();
  await using replay = await startMockServer({ replay: file });
  const problem = async (body: unknown) => {
    const response = await post(replay, body);
    const { error } = await response.json();
    assert.deepEqual([response.status, error.code], [404, "not_recorded"]);
    return error.message.replace(file, "tape.jsonl") as string;
  };
  assert.equal(
    await problem({ model: "m", messages: [{ role: "user", content: "Bye" }], user: "u" }),
    "tape.jsonl has no recorded answer to this POST /v1/chat/completions. The nearest recorded " +
      'request is on line 2: messages[0].content was "Hello there", and is now "Bye".',
  );
  assert.match(await problem(CHAT), /on line 2: user was "x{59}…, and is now missing\.$/);
  const changed = await problem({ ...CHAT, user: `${long} b ${long}` });
  assert.match(changed, /on line 2: user was …x{27,29} a x+…, and is now …x{27,29} b x+…\.$/);
  assert.match(
    await problem({ ...CHAT, user: `${long} a ${long}`, seed: 1 }),
    /on line 2: seed was not recorded, and is now 1\.$/,
  );
  const root = `http://127.0.0.1:${replay.port}`;
  const anthropic = new Anthropic({ baseURL: root, apiKey: "none", maxRetries: 0 });
  await assert.rejects(
    anthropic.messages.create({ model: "c", max_tokens: 9, messages: HELLO }),
    (error: Error & { status?: number }) => {
      assert.equal(error.status, 404);
      assert.match(error.message, /not_found_error.*nearest recorded request is POST \/v1\/chat/);
      return true;
    },
  );
});

Deno.test("a recorder appends to its recording", async () => {
  using folder = temporaryFolder();
  const file = folder.file("new/folder/tape.jsonl");
  await using real = await startMockServer();
  for (const [i, model] of ["a", "b"].entries()) {
    await serve({ record: { url: real.baseUrl, file } }, async (recorder) => {
      assert.equal(recorder.exchanges, i);
      await (await post(recorder, { ...CHAT, model })).text();
    });
  }
  const lines = jsonLines(folder.read("new/folder/tape.jsonl"));
  assert.deepEqual(lines.map(({ request }) => request.json.model), ["a", "b"]);
});

Deno.test("a recorder for new requests answers the others from the file", async () => {
  using folder = temporaryFolder();
  const file = folder.file("tape.jsonl");
  const answersOf = async (server: MockServer, models: string[]) => {
    const answers = [];
    for (const model of models) answers.push(await (await post(server, { ...CHAT, model })).text());
    return answers;
  };
  let first: string[] = [];
  {
    await using real = await startMockServer();
    await using recorder = await startMockServer({ record: { url: real.baseUrl, file } });
    first = await answersOf(recorder, ["a", "b"]);
  }
  await using real = await startMockServer({ seed: 1 });
  const notes: (string | undefined)[] = [];
  {
    await using recorder = await startMockServer({
      record: { url: real.baseUrl, file, onlyNew: true },
      onRequest: ({ note }) => notes.push(note),
    });
    const [a, c, b] = await answersOf(recorder, ["a", "c", "b"]);
    assert.deepEqual([a, b], first);
    assert.match(c, /"model":"c"/);
  }
  assert.deepEqual(notes, ["line 1", "recorded", "line 2"]);
  const lines = jsonLines(folder.read("tape.jsonl"));
  assert.deepEqual(lines.map(({ request }) => request.json.model), ["a", "b", "c"]);
});

Deno.test("a line that a killed recorder left is dropped", async () => {
  using folder = temporaryFolder();
  const file = folder.file("tape.jsonl");
  await using real = await startMockServer();
  const record = (model: string) =>
    serve({ record: { url: real.baseUrl, file } }, async (recorder) => {
      await (await post(recorder, { ...CHAT, model })).text();
    });
  await record("a");
  const whole = folder.read("tape.jsonl");
  folder.write("tape.jsonl", `${whole}${whole.slice(0, 100)}`);
  await serve({ replay: file }, (replay) => Promise.resolve(assert.equal(replay.exchanges, 1)));
  await record("b");
  // A file whose last line break is missing, as editors write it.
  folder.write("tape.jsonl", folder.read("tape.jsonl").trimEnd());
  await record("c");
  const lines = jsonLines(folder.read("tape.jsonl"));
  assert.deepEqual(lines.map(({ request }) => request.json.model), ["a", "b", "c"]);
});

Deno.test("files and options that cannot be used are reported", async () => {
  using folder = temporaryFolder();
  const other = folder.write("notes.txt", "Dear diary,\n");
  const empty = folder.write("empty.jsonl", "");
  const wrong = folder.write("wrong.jsonl", '{"version":1,"time":"now"}\n');
  const newer = folder.write("newer.jsonl", '{"version":2}\n');
  const url = "http://127.0.0.1:9/v1";
  const file = folder.file("tape.jsonl");
  const cases: [MockOptions, RegExp][] = [
    [{ replay: folder.file("none.jsonl") }, /cannot read .*none\.jsonl: it does not exist/],
    [{ replay: empty }, /empty\.jsonl contains no exchanges/],
    [{ replay: wrong }, /wrong\.jsonl:1: request: /],
    [{ replay: newer }, /newer\.jsonl:1: version: /],
    [{ replay: { file: wrong, speed: 0 } }, /speed: expected a number > 0/],
    [{ record: { url, file: other } }, /notes\.txt exists and is not a recording/],
    [{ record: { url, file: folder.path } }, /cannot write .*: it is a folder/],
    [{ record: { url: "api.openai.com", file } }, /not an http or https URL/],
    [{ record: { url: "https://u:p@host/v1", file } }, /must not contain a user/],
    [{ record: { url, file }, replay: file }, /record and replay cannot be combined/],
  ];
  for (const [options, message] of cases) {
    await assert.rejects(() => startMockServer(options), message);
  }
  assert.equal(folder.read("notes.txt"), "Dear diary,\n");
});

Deno.test("a real server that cannot be reached is a 502, and nothing is recorded", async () => {
  using folder = temporaryFolder();
  const file = folder.file("tape.jsonl");
  const real = await startMockServer();
  await real.close();
  await using recorder = await startMockServer({ record: { url: real.baseUrl, file } });
  const response = await post(recorder, CHAT);
  const { error } = await response.json();
  assert.equal(response.status, 502);
  assert.match(error.message, /cannot reach http:\/\/127\.0\.0\.1:\d+: /);
  assert.equal(folder.read("tape.jsonl"), "");
  await recorder.close();
  assert.equal(existsSync(file), false);
});

Deno.test("a recorder and a replay have a request log, an access log and required keys", async () => {
  using folder = temporaryFolder();
  const file = folder.file("tape.jsonl");
  await using real = await startMockServer({ length: 40 });
  const notes: unknown[] = [];
  const options: MockOptions = {
    apiKey: "test-key",
    onRequest: ({ model, status, streamed, completionTokens, note, outcome }) =>
      notes.push([model, status, streamed, completionTokens, note, outcome]),
  };
  const headers = { authorization: "Bearer test-key" };
  const use = async (server: MockServer) => {
    assert.equal((await post(server, CHAT)).status, 401);
    await (await post(server, CHAT, { headers })).text();
    const stream = { ...CHAT, stream: true, stream_options: { include_usage: true } };
    await (await post(server, stream, { headers })).text();
    const log = await fetch(`http://127.0.0.1:${server.port}/__mock/requests`, { headers });
    const { requests } = await log.json();
    assert.deepEqual(requests.map(({ status }: { status: number }) => status), [200, 200]);
    return notes.splice(0).slice(1, 3);
  };
  await serve({ ...options, record: { url: real.baseUrl, file } }, async (server) => {
    assert.deepEqual(await use(server), [
      ["m", 200, false, 10, "recorded", "complete"],
      ["m", 200, true, 10, "recorded", "complete"],
    ]);
  });
  await serve({ ...options, replay: file }, async (server) => {
    assert.deepEqual(await use(server), [
      ["m", 200, false, 10, "line 1", "complete"],
      ["m", 200, true, 10, "line 2", "complete"],
    ]);
  });
});
