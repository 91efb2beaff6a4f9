/**
 * The mock's endpoints, their errors, and the effects of request parameters.
 *
 * Sources: the vendors' API references ("Models", "Count tokens", "Errors") and the types of `openai` 7.57,
 * `@anthropic-ai/sdk` 1.12 and `@google/genai` 3.1.
 */
import assert from "node:assert/strict";
import { createMockApp, type MockOptions } from "../../mod.ts";

type Json = Record<string, unknown>;

const HI = [{ role: "user", content: "Hi" }];
const CONTENTS = [{ role: "user", parts: [{ text: "Hi" }] }];
const GEMINI = "/v1beta/models/gemini-3-flash";
const ANTHROPIC = { "anthropic-version": "2023-06-01" };
const CALLS: [path: string, body: Json][] = [
  ["/v1/chat/completions", { model: "m", messages: HI }],
  ["/v1/responses", { model: "m", input: "Hi" }],
  ["/v1/messages", { model: "m", max_tokens: 500, messages: HI }],
  [`${GEMINI}:generateContent`, { contents: CONTENTS }],
];

function caller(options: MockOptions = {}) {
  const app = createMockApp(options);
  return async (method: string, path: string, body?: unknown, headers?: HeadersInit) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const init = { method, headers, body: text };
    const response = await app.fetch(new Request(`http://mock${path}`, init));
    return { response, status: response.status, text: await response.text() };
  };
}

async function post(options: MockOptions, path: string, body: unknown) {
  const { status, text } = await caller(options)("POST", path, body);
  assert.equal(status, 200, text);
  return JSON.parse(text);
}

/** The data of a stream's events. */
function eventsOf(text: string): Json[] {
  return text.split("\n").filter((line) => /^data: [{]/.test(line))
    .map((line) => JSON.parse(line.slice(6)));
}

Deno.test("a canned status has the type and code of that status in every protocol", async () => {
  const rows: [status: number, chat: [string, string | null], anthropic: string, gemini: string][] =
    [
      [400, ["invalid_request_error", null], "invalid_request_error", "INVALID_ARGUMENT"],
      [
        401,
        ["invalid_request_error", "invalid_api_key"],
        "authentication_error",
        "UNAUTHENTICATED",
      ],
      [402, ["insufficient_quota", "insufficient_quota"], "billing_error", "RESOURCE_EXHAUSTED"],
      [
        403,
        ["request_forbidden", "unsupported_country_region_territory"],
        "permission_error",
        "PERMISSION_DENIED",
      ],
      [404, ["invalid_request_error", "model_not_found"], "not_found_error", "NOT_FOUND"],
      [409, ["conflict_error", "conflict"], "conflict_error", "ABORTED"],
      [
        413,
        ["invalid_request_error", "request_too_large"],
        "request_too_large",
        "INVALID_ARGUMENT",
      ],
      [429, ["requests", "rate_limit_exceeded"], "rate_limit_error", "RESOURCE_EXHAUSTED"],
      [500, ["server_error", null], "api_error", "INTERNAL"],
      [
        503,
        ["service_unavailable_error", "server_is_overloaded"],
        "overloaded_error",
        "UNAVAILABLE",
      ],
      [504, ["server_error", "timeout"], "timeout_error", "DEADLINE_EXCEEDED"],
      [
        529,
        ["service_unavailable_error", "server_is_overloaded"],
        "overloaded_error",
        "UNAVAILABLE",
      ],
    ];
  for (const [status, chat, anthropic, gemini] of rows) {
    const call = caller({ responses: [{ status, text: "No." }] });
    const errors: Json[] = [];
    for (const [path, body] of CALLS) {
      const answer = await call("POST", path, body);
      assert.equal(answer.status, status);
      errors.push(JSON.parse(answer.text).error);
    }
    assert.ok(errors.every(({ message }) => message === "No."));
    for (const { type, code } of errors.slice(0, 2)) assert.deepEqual([type, code], chat);
    assert.equal(errors[2].type, anthropic);
    assert.deepEqual([errors[3].code, errors[3].status], [status, gemini]);
  }
});

Deno.test("Anthropic's errors have the request id of the header", async () => {
  const { response, text } = await caller({ responses: [{ status: 500 }] })("POST", ...CALLS[2]);
  assert.match(response.headers.get("request-id")!, /^req_/);
  assert.equal(JSON.parse(text).request_id, response.headers.get("request-id"));
});

Deno.test("Gemini's 429 says when to retry", async () => {
  const call = caller({ errorRate: 1, errorKinds: ["rate_limit"] });
  const { text } = await call("POST", ...CALLS[3]);
  const [{ retryDelay }] = JSON.parse(text).error.details;
  assert.equal(retryDelay, "1s");
});

Deno.test("a model has each protocol's form, and an unlisted one gets a 404", async () => {
  const call = caller({ models: ["claude-a", "meta/b"] });
  const one = async (path: string, headers?: HeadersInit) =>
    JSON.parse((await call("GET", path, undefined, headers)).text);
  assert.equal((await one("/v1/models/meta/b")).object, "model");
  assert.equal((await one("/models/claude-a")).id, "claude-a");
  const anthropic = await one("/v1/models/claude-a", ANTHROPIC);
  assert.deepEqual([anthropic.type, anthropic.id], ["model", "claude-a"]);
  const gemini = await one("/v1beta/models/claude-a");
  assert.deepEqual([gemini.name, gemini.thinking], ["models/claude-a", true]);
  const missing = await call("GET", "/v1/models/nope");
  assert.equal(missing.status, 404);
  assert.equal(JSON.parse(missing.text).error.code, "model_not_found");
  const unknown = await call("GET", "/v1/models/nope", undefined, ANTHROPIC);
  assert.equal(JSON.parse(unknown.text).error.type, "not_found_error");
});

Deno.test("the same conversation gets the same answer in every protocol", async () => {
  const [chat, response, message, content] = await Promise.all(
    CALLS.map(([path, body]) => post({}, path, body)),
  );
  const [{ message: { content: text } }] = chat.choices;
  assert.equal(response.output[0].content[0].text, text);
  assert.equal(message.content[0].text, text);
  assert.equal(content.candidates[0].content.parts[0].text, text);
  assert.equal(response.usage.input_tokens, chat.usage.prompt_tokens);
  assert.equal(message.usage.input_tokens, chat.usage.prompt_tokens);
  assert.equal(content.usageMetadata.promptTokenCount, chat.usage.prompt_tokens);
});

Deno.test("counting tokens gives the prompt tokens of the answer", async () => {
  const { usage } = await post({}, ...CALLS[2]);
  const anthropic = await post({}, "/v1/messages/count_tokens", { model: "m", messages: HI });
  assert.deepEqual(anthropic, { input_tokens: usage.input_tokens });

  const response = await post({}, ...CALLS[1]);
  const openai = await post({}, "/v1/responses/input_tokens", CALLS[1][1]);
  const { input_tokens } = response.usage;
  assert.deepEqual(openai, { object: "response.input_tokens", input_tokens });

  const { usageMetadata } = await post({}, ...CALLS[3]);
  for (const body of [{ contents: CONTENTS }, { generateContentRequest: CALLS[3][1] }]) {
    const { totalTokens } = await post({}, `${GEMINI}:countTokens`, body);
    assert.equal(totalTokens, usageMetadata.promptTokenCount);
  }
  const { status } = await caller()("POST", "/v1/messages/count_tokens", { model: "m" });
  assert.equal(status, 400);
});

Deno.test("the system prompt, tools and calls count as input, in answers as in counts", async () => {
  const path = "/v1/messages/count_tokens";
  const body = { model: "m", messages: HI };
  const tool = { name: "f", description: "Finds. ".repeat(40), input_schema: { type: "object" } };
  const use = { type: "tool_use", id: "toolu_1", name: "f", input: { text: "x".repeat(200) } };
  const result = { type: "tool_result", tool_use_id: "toolu_1", content: "" };
  const turns = [{ role: "assistant", content: [use] }, { role: "user", content: [result] }];
  const count = async (fields: object) => {
    const { input_tokens } = await post({}, path, { ...body, ...fields });
    const { usage } = await post({}, "/v1/messages", { ...body, max_tokens: 9, ...fields });
    assert.equal(usage.input_tokens, input_tokens);
    return input_tokens;
  };
  const plain = await count({});
  assert.ok(await count({ system: "Be brief. ".repeat(40) }) >= plain + 100);
  assert.ok(await count({ tools: [tool] }) >= plain + 70);
  assert.ok(await count({ tools: [tool], messages: [...HI, ...turns] }) >= plain + 120);
});

Deno.test("a wrong method gets a 405 with the allowed ones, in each protocol's form", async () => {
  const call = caller();
  const rows: [method: string, path: string, allow: string][] = [
    ["GET", "/v1/chat/completions", "POST"],
    ["PUT", "/chat/completions", "POST"],
    ["DELETE", "/v1/responses", "POST"],
    ["GET", "/v1/responses/input_tokens", "POST"],
    ["PATCH", "/v1/messages", "POST"],
    ["GET", "/v1/messages/count_tokens", "POST"],
    ["POST", "/v1/models", "GET"],
    ["POST", "/v1/models/mock", "GET"],
    ["GET", `${GEMINI}:generateContent`, "POST"],
    ["DELETE", `${GEMINI}:countTokens`, "POST"],
    ["POST", "/__mock/requests", "GET, DELETE"],
  ];
  for (const [method, path, allow] of rows) {
    const { status, response, text } = await call(method, path, method === "POST" ? {} : undefined);
    assert.deepEqual([status, response.headers.get("allow")], [405, allow], `${method} ${path}`);
    const { error } = JSON.parse(text);
    if (path.startsWith("/v1beta")) assert.equal(error.status, "UNIMPLEMENTED");
    else assert.equal(error.type, "invalid_request_error");
  }
  assert.equal((await call("GET", "/v1/nothing")).status, 404);
  assert.equal((await call("HEAD", "/v1/models")).status, 200);
});

Deno.test("Gemini streams a JSON array, and events with alt=sse", async () => {
  const call = caller({ length: 100 });
  const path = `${GEMINI}:streamGenerateContent`;
  const array = await call("POST", path, { contents: CONTENTS });
  assert.equal(array.response.headers.get("content-type"), "application/json");
  const chunks: Json[] = JSON.parse(array.text);
  assert.ok(chunks.length > 10);
  const events = await call("POST", `${path}?alt=sse`, { contents: CONTENTS });
  assert.equal(events.response.headers.get("content-type"), "text/event-stream");
  assert.deepEqual(eventsOf(events.text), chunks);
});

Deno.test("n and candidateCount set the number of answers, and usage counts all of them", async () => {
  const body = { ...CALLS[0][1], n: 3 };
  const { choices, usage } = await post({}, CALLS[0][0], body);
  assert.deepEqual(choices.map(({ index }: Json) => index), [0, 1, 2]);
  const texts: string[] = choices.map(({ message }: { message: Json }) => message.content);
  assert.equal(new Set(texts).size, 3);
  const tokens = texts.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0);
  assert.equal(usage.completion_tokens, tokens);

  const streamed = ["", "", ""];
  const { text } = await caller()("POST", CALLS[0][0], { ...body, stream: true });
  for (const { choices: [choice] } of eventsOf(text) as { choices: Json[] }[]) {
    streamed[Number(choice.index)] += (choice.delta as Json).content ?? "";
  }
  assert.deepEqual(streamed, texts);

  const generationConfig = { candidateCount: 2 };
  const { candidates } = await post({}, CALLS[3][0], { contents: CONTENTS, generationConfig });
  assert.deepEqual(candidates.map(({ index }: Json) => index), [0, 1]);
});

Deno.test("a stop sequence ends the answer, and Anthropic reports it", async () => {
  const responses = [{ text: "one two three" }];
  const chat = await post({ responses }, CALLS[0][0], { ...CALLS[0][1], stop: ["three", " two"] });
  const [{ message, finish_reason }] = chat.choices;
  assert.deepEqual([message.content, finish_reason], ["one", "stop"]);
  const anthropic = await post({ responses }, CALLS[2][0], {
    ...CALLS[2][1],
    stop_sequences: [" two"],
  });
  const { content: [block], stop_reason, stop_sequence } = anthropic;
  assert.deepEqual([block.text, stop_reason, stop_sequence], ["one", "stop_sequence", " two"]);
  const gemini = await post({ responses }, CALLS[3][0], {
    ...CALLS[3][1],
    generationConfig: { stopSequences: [" two"] },
  });
  const [{ content, finishReason }] = gemini.candidates;
  assert.deepEqual([content.parts[0].text, finishReason], ["one", "STOP"]);
});

Deno.test("thinking and text share the token limit", async () => {
  const limited = (max: number) =>
    post({}, CALLS[2][0], { ...CALLS[2][1], max_tokens: max, thinking: { type: "adaptive" } });
  for (const max of [0, 5, 20]) {
    const { usage, stop_reason, content } = await limited(max);
    assert.deepEqual([usage.output_tokens, stop_reason], [max, "max_tokens"]);
    assert.ok(content.every((block: Json) => block.text !== ""));
  }
});

Deno.test("a body that is nested too deep is rejected and does not crash the mock", async () => {
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  for (const [path, body] of CALLS) {
    const text = JSON.stringify(body).replace('"Hi"', deep);
    const init = { method: "POST", body: text };
    const response = await createMockApp().fetch(new Request(`http://mock${path}`, init));
    await response.body?.cancel();
    assert.equal(response.status, 400);
  }
});
