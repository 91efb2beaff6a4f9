/** No secret reaches a recording, wherever clients and servers write it. Requests still match exactly. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { isSecretBodyField, isSecretField } from "../../../lib/mock/secrets.ts";
import { redactChunks } from "../../../lib/mock/recording/redaction.ts";
import { withoutFormKeys, withoutKeys } from "../../../lib/mock/recording/secret_text.ts";
import { type MockServer, startMockServer } from "../../../mod.ts";
import { jsonLines, temporaryFolder } from "../../support/temporary_folder.ts";

/** Records what `use` does with a server that repeats what it gets, and returns the recording. */
async function recordingOf(
  use: (server: MockServer) => Promise<void>,
  answer: (request: IncomingMessage, body: string, response: ServerResponse) => void = (
    { url, headers },
    body,
    response,
  ) => void response.end(JSON.stringify({ url, headers, body })),
) {
  const folder = temporaryFolder();
  const file = folder.file("tape.jsonl");
  const real = createServer(async (request, response) => {
    answer(request, await text(request), response);
  });
  await new Promise<void>((resolve) => real.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(real.address() as AddressInfo).port}/v1`;
  {
    await using recorder = await startMockServer({ record: { url, file } });
    await use(recorder);
  }
  real.closeAllConnections();
  await new Promise((resolve) => real.close(resolve));
  return { [Symbol.dispose]: folder[Symbol.dispose], file, text: folder.read("tape.jsonl") };
}

async function send(server: MockServer, path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(`${server.baseUrl}${path}`, { redirect: "manual", ...init });
  await response.arrayBuffer();
  return response;
}

let count = 0;
/** A secret that no pattern for keys matches. */
const secret = () => `HIDDEN${++count}/0123+456`;

Deno.test("headers, queries, forms and JSON fields leave no secret in a recording", async () => {
  const headers = [
    ...["authorization", "x-api-key", "api-key", "x-goog-api-key", "ocp-apim-subscription-key"],
    ...["x-amz-security-token", "cookie", "cf-access-client-secret", "x-session", "x-credential"],
    ...["x-jwt", "x-signature", "x-pass", "x-auth"],
  ];
  const fields = [
    ...["key", "api_key", "apikey", "access_token", "token", "subscription-key", "AWSAccessKeyId"],
    ...["X-Amz-Signature", "X-Amz-Credential", "X-Goog-Signature", "sig", "code", "passwd"],
  ];
  const body = () => ({
    model: "m",
    api_key: secret(),
    tools: [{
      type: "mcp",
      authorization: secret(),
      headers: { Authorization: `Token ${secret()}` },
    }],
    mcp_servers: [{ authorization_token: secret() }],
    aws: { secretAccessKey: secret(), password: `${secret()}"quoted` },
    messages: [{ role: "user", content: `Use https://me:${secret().replaceAll("/", "")}@host/` }],
  });
  using recording = await recordingOf(async (server) => {
    for (const name of headers) await send(server, "/headers", { headers: { [name]: secret() } });
    const basic = Buffer.from(`me:${secret()}`).toString("base64");
    await send(server, "/basic", { headers: { authorization: `Basic ${basic}` } });
    await send(server, "/cookie", { headers: { cookie: `a=${secret()}; b=${secret()}` } });
    for (const name of fields) {
      await send(server, `/query?${new URLSearchParams({ [name]: secret() })}`);
    }
    await send(server, "/json", { method: "POST", body: JSON.stringify(body()) });
    const form = { grant_type: "x", client_secret: secret(), password: secret() };
    await send(server, "/form", { method: "POST", body: new URLSearchParams(form) });
    const parts = new FormData();
    parts.set("api_key", secret());
    parts.set("file", new Blob([new Uint8Array([0xff, 0xfe])]), "a.bin");
    await send(server, "/multipart", { method: "POST", body: parts });
    const inPath = secret().replaceAll("/", "");
    await send(server, `/bot${inPath}/x`, { headers: { "x-api-key": inPath } });
  }, ({ url, headers: { authorization = "", cookie = "", ...others } }, body, response) => {
    const decoded = Buffer.from(authorization.replace(/^Basic /, ""), "base64").toString();
    const password = /^\/v1\/basic/.test(url!) ? decoded.slice(3) : authorization;
    const cookies = cookie.split("; ").map((each) => each.split("=").at(-1));
    // Multipart bodies are repeated too, but as text that is not JSON.
    response.setHeader("x-session-token", "HIDDEN-session");
    response.setHeader("location", "https://s3.example/f?X-Amz-Signature=HIDDEN-sig-0123456789");
    const echo = /multipart/.test(others["content-type"] ?? "") ? "" : body;
    response.end(JSON.stringify({ password, cookies, others: { ...others, host: "" } }) + echo);
  });
  assert.deepEqual(recording.text.match(/HIDDEN[^"]{0,30}/g), null);
  const binary = jsonLines(recording.text).map(({ request }) => request.base64 ?? "");
  assert.doesNotMatch(Buffer.from(binary.join(""), "base64").toString("latin1"), /HIDDEN/);
});

Deno.test("keys are removed by their form, but ordinary text is not", () => {
  const keys = [
    `sk-proj-${"a1".repeat(20)}`,
    `sk-ant-api03-${"b2_".repeat(20)}`,
    `AIza${"Sy0".repeat(12).slice(0, 35)}`,
    `AKIA${"A1B2".repeat(4)}`,
    `ghp_${"c3".repeat(18)}`,
    `eyJhbGciOiJI.eyJzdWIiOiIxMjM.${"x".repeat(20)}`.replace("eyJhbGciOiJI", "eyJhbGciOiJIUzI1"),
  ];
  for (const key of keys) assert.equal(withoutKeys(`(${key})`), "([key removed])");
  const ordinary = [
    "risk-assessment-of-1234567890-items in sk-slovenska-republika-mesto",
    '{"token":"Hello","key":"genre","signature":"abcdefghijklmnopqrstuvwxyz","max_tokens":5}',
    '{"prompt_cache_key":"user-1234567890123456","nextPageToken":"abcdefghijklmnopqrstuvwxyz"}',
    '{"password":{"type":"string"},"content":"{\\"password\\": \\"x\\"}"}',
    "https://example.com/?page_token=abcdefghijklmnopqrstuvwxyz&q=a:b@c",
    `{"data":"${"Ab0+/xyz9".repeat(100)}"}`,
  ];
  for (const text of ordinary) assert.equal(withoutKeys(text), text);
  assert.equal(
    withoutFormKeys('name="password"\r\n\r\nx\r\n--b\r\nname="prompt"\r\n\r\ny\r\n'),
    'name="password"\r\n\r\n[key removed]\r\n--b\r\nname="prompt"\r\n\r\ny\r\n',
  );
  // Long strings must not overflow the stack of a regular expression.
  const image = "Ab0+/xyz9\\n".repeat(500_000);
  const body = `{"image":"${image}","password":"${image}"}`;
  assert.equal(withoutKeys(body), `{"image":"${image}","password":"[key removed]"}`);
});

Deno.test("names of secret fields are recognized in every spelling, and others are not", () => {
  for (const name of ["x-api-key", "apiKey", "APIKEY", "AccessToken", "client_secret", "pwd"]) {
    assert.deepEqual([isSecretField(name), isSecretBodyField(name)], [true, true], name);
  }
  const ordinary = ["author", "keyword", "tokens", "monkey", "page_token", "nextToken", "sort_key"];
  for (const name of [...ordinary, "continuation_token", "language_code", "max_tokens"]) {
    assert.deepEqual([isSecretField(name), isSecretBodyField(name)], [false, false], name);
  }
});

Deno.test("requests that differ in what is no key do not match", async () => {
  const path = "/search?author=a&keyword=b&next_token=c";
  const post = (body: string, type = "application/json") => ({
    method: "POST",
    body,
    headers: { "content-type": type },
  });
  using recording = await recordingOf(async (server) => {
    await send(server, path);
    await send(server, "/n", post('{"seed":9007199254740992,"t":1.10}'));
    await send(server, "/b", { method: "POST", body: new Uint8Array([0xff]) });
  });
  await using replay = await startMockServer({ replay: { file: recording.file, speed: Infinity } });
  const status = async (path: string, init?: RequestInit) =>
    (await send(replay, path, init)).status;
  assert.equal(await status(path), 200);
  for (const [a, b] of [["author=a", "author=z"], ["keyword=b", "keyword=z"], ["=c", "=z"]]) {
    assert.equal(await status(path.replace(a, b)), 404);
  }
  assert.equal(await status("/n", post('{"t":1.1,"seed":9007199254740992}')), 200);
  assert.equal(await status("/n", post('{"t":1.1,"seed":9007199254740993}')), 404);
  // The Base64 of the recorded bytes, as text.
  assert.equal(await status("/b", post("/w==", "text/plain")), 404);
});

Deno.test("ordinary words that serve as keys do not keep requests from matching", async () => {
  const body = JSON.stringify({ model: "ollama/llama", note: "string, openai" });
  const bearer = (key: string) => ({
    method: "POST",
    body,
    headers: { authorization: `Bearer ${key}` },
  });
  using recording = await recordingOf(async (server) => {
    await send(server, "/chat/completions", bearer("ollama"));
  }, (_, body, response) => void response.end(body));
  assert.match(recording.text, /"model":"ollama\/llama"/);
  await using replay = await startMockServer({ replay: { file: recording.file, speed: Infinity } });
  for (const key of ["ollama", "string", "openai", "sk-real-key-0123456789"]) {
    assert.equal((await send(replay, "/chat/completions", bearer(key))).status, 200, key);
  }
});

Deno.test("chunks keep their times if no chunk splits a key", () => {
  const redacted = (...texts: string[]) =>
    redactChunks(texts.map((text, at) => ({ at, text })), ["private-0123"], false);
  assert.deepEqual(redacted("a private-0123", " b"), [
    { at: 0, text: "a [key removed]" },
    { at: 1, text: " b" },
  ]);
  assert.deepEqual(redacted("a private", "-0123 b"), [{ at: 0, text: "a [key removed] b" }]);
});
