/** Token counts: by the endpoint, or by an estimate. */
import assert from "node:assert/strict";
import { openAccess } from "../../../lib/gateway/access/open_access.ts";
import type { Json } from "../../../lib/json/json.ts";
import { HttpGateway } from "../../support/http_gateway.ts";

const MESSAGES = [{ role: "user", content: "How many tokens are in this sentence?" }];
const ANTHROPIC = { baseUrl: "https://api.anthropic.com/v1" };
const GEMINI = { baseUrl: "https://generativelanguage.googleapis.com/v1beta" };

/** The number in the answer to a request for a count. */
async function count(gateway: HttpGateway, body: Json, path = "/v1/messages/count_tokens") {
  const response = await gateway.send(path, { body });
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer.input_tokens ?? answer.totalTokens;
}

Deno.test("asks an endpoint that speaks the client's format, under its own name of the model", async () => {
  const provider = () => Response.json({ input_tokens: 4711, extra: true });
  await using gateway = new HttpGateway({ routes: { "claude-x": ["real"] } }, provider, [
    { ...ANTHROPIC, model: "real" },
  ]);
  const text = '{"model":"claude-x", "messages":[],"tools":[{"model":"claude-x"}]}';
  const response = await gateway.send("/v1/messages/count_tokens?beta=true", {
    body: text,
    headers: { "anthropic-version": "2023-06-01", "anthropic-beta": "token-counting-2024-11-01" },
  });
  assert.deepEqual(await response.json(), { input_tokens: 4711, extra: true });
  const [sent] = gateway.sent;
  assert.match(sent.url, /^https:\/\/api\.anthropic\.com\/v1\/messages\/count_tokens/);
  assert.equal(sent.text, text.replace("claude-x", "real"));
  assert.equal(sent.headers.get("x-api-key"), "sk-provider-secret");
  assert.match(sent.headers.get("anthropic-beta") ?? "", /token-counting/);
});

Deno.test("asks Gemini, also where the client names the model in the request to count", async () => {
  await using gateway = new HttpGateway(
    { routes: { "gemini-pro": ["real"] } },
    () => Response.json({ totalTokens: 12 }),
    [{ ...GEMINI, model: "real" }],
  );
  const contents = [{ parts: [{ text: "Hi" }] }];
  const path = "/v1beta/models/gemini-pro:countTokens";
  assert.equal(await count(gateway, { contents }, path), 12);
  const request = { model: "models/gemini-pro", contents };
  assert.equal(await count(gateway, { generateContentRequest: request }, path), 12);
  assert.deepEqual(gateway.sent[1].body, {
    generateContentRequest: { model: "models/real", contents },
  });
  assert.match(gateway.sent[0].url, /\/models\/real:countTokens$/);
});

Deno.test("estimates where the endpoint speaks another format, or cannot count", async () => {
  await using foreign = new HttpGateway();
  const estimated = await count(foreign, { model: "model", messages: MESSAGES });
  assert(estimated > 8 && estimated < 30, String(estimated));
  assert.equal(foreign.sent.length, 0);
  const gemini = await count(
    foreign,
    { contents: [{ parts: [{ text: MESSAGES[0].content }] }] },
    "/v1beta/models/model:countTokens",
  );
  assert(gemini > 8 && gemini < 30);
  const responses = await count(
    foreign,
    { model: "model", input: MESSAGES[0].content },
    "/v1/responses/input_tokens",
  );
  assert(responses > 8 && responses < 30);
  for (const [status, requests] of [[500, 2], [429, 2], [404, 1]]) {
    await using failing = new HttpGateway({}, () => new Response("no", { status }), [
      { ...ANTHROPIC, model: `m${status}` },
    ]);
    const body = { model: `m${status}`, messages: MESSAGES };
    assert.equal(await count(failing, body), estimated);
    assert.equal(await count(failing, body), estimated);
    // A server without the operation is asked only once.
    assert.equal(failing.sent.length, requests);
  }
});

Deno.test("counts the system prompt, tools and images, which make up most of an agent's request", async () => {
  await using gateway = new HttpGateway();
  const base = { model: "model", messages: MESSAGES };
  const plain = await count(gateway, base);
  const text = "You are a careful assistant. ".repeat(100);
  const system = await count(gateway, { ...base, system: [{ type: "text", text }] });
  assert(system - plain > 500, String(system));
  const tool = {
    name: "read_file",
    description: "Reads a file. ".repeat(50),
    input_schema: { type: "object", properties: { path: { type: "string" } } },
  };
  const tools = await count(gateway, { ...base, tools: Array(24).fill(tool) });
  assert(tools - plain > 3000, String(tools));
  const source = { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" };
  const content = [{ type: "image", source }, { type: "text", text: "What is this?" }];
  const image = await count(gateway, { model: "model", messages: [{ role: "user", content }] });
  assert(image > 1000, String(image));
});

Deno.test("counts towards no limit of the key and costs nothing", async () => {
  const access = await openAccess({});
  const { secret } = await access.keys.create("alice", { rpm: 1, concurrent: 1 });
  await using gateway = new HttpGateway({ access });
  const headers = { "x-api-key": secret };
  const body = { model: "model", messages: MESSAGES };
  // Claude Code's /context sends 14 of them at once.
  const answers = await Promise.all(
    Array.from({ length: 14 }, () => gateway.send("/v1/messages/count_tokens", { headers, body })),
  );
  assert(answers.every(({ status }) => status === 200));
  assert.equal((await gateway.chat({}, headers)).status, 200);
  assert(
    gateway.facts.filter(({ operation }) => operation === "count_tokens")
      .every(({ cost, key }) => cost === 0 && key === "alice"),
  );
});
