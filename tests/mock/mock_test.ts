/** The unmodified `openai` package works with the mock. */
import assert from "node:assert/strict";
import OpenAI, { type APIError } from "openai";
import { createMockApp, type MockOptions, startMockServer } from "../../mod.ts";
import { RequestRate } from "../../lib/mock/request_rate.ts";
import { sampleOf } from "../../lib/mock/schema_sample.ts";

const HELLO = [{ role: "user" as const, content: "Hello there" }];

async function withSdk(
  options: MockOptions,
  use: (sdk: OpenAI, baseUrl: string) => Promise<void>,
): Promise<void> {
  await using server = await startMockServer(options);
  await use(new OpenAI({ baseURL: server.baseUrl, apiKey: "none", maxRetries: 0 }), server.baseUrl);
}

Deno.test("the openai package gets a completion with usage", () =>
  withSdk({ length: 120 }, async (sdk) => {
    const answer = await sdk.chat.completions.create({ model: "any", messages: HELLO });
    const { message, finish_reason } = answer.choices[0];
    assert.equal(message.content?.length, 120);
    assert.match(message.content!, /^You asked: "Hello there"/);
    assert.deepEqual([finish_reason, answer.model], ["stop", "any"]);
    assert.equal(answer.usage?.completion_tokens, 30);
    assert.match(answer._request_id!, /^req_mock_/);
  }));

Deno.test("the openai package gets the same text streamed, with usage on request", () =>
  withSdk({}, async (sdk) => {
    const plain = await sdk.chat.completions.create({ model: "m", messages: HELLO });
    for (const include_usage of [true, false]) {
      const stream = await sdk.chat.completions.create({
        model: "m",
        messages: HELLO,
        stream: true,
        stream_options: { include_usage },
      });
      let [text, finish, total] = ["", "", 0];
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? "";
        finish = chunk.choices[0]?.finish_reason ?? finish;
        total = chunk.usage?.total_tokens ?? total;
      }
      assert.equal(text, plain.choices[0].message.content);
      assert.equal(finish, "stop");
      assert.equal(total, include_usage ? plain.usage?.total_tokens : 0);
    }
  }));

const TOOL = {
  type: "function" as const,
  function: {
    name: "get_weather",
    parameters: {
      type: "object",
      properties: {
        city: { type: "string" },
        unit: { enum: ["C", "F"] },
        days: { type: "integer" },
      },
      required: ["city", "unit"],
    },
  },
};

Deno.test("the openai package gets a tool call if one is required, plain and streamed", () =>
  withSdk({}, async (sdk) => {
    const request = {
      model: "m",
      messages: HELLO,
      tools: [TOOL],
      tool_choice: "required" as const,
    };
    const answer = await sdk.chat.completions.create(request);
    const [call] = answer.choices[0].message.tool_calls!;
    assert.ok(call.type === "function");
    assert.equal(call.function.name, "get_weather");
    assert.deepEqual(JSON.parse(call.function.arguments), { city: "text", unit: "C", days: 1 });
    assert.equal(answer.choices[0].finish_reason, "tool_calls");
    const runner = sdk.chat.completions.stream(request);
    const streamed = await runner.finalChatCompletion();
    assert.deepEqual(
      streamed.choices[0].message.tool_calls?.map(({ id, type }) => [id, type]),
      [[call.id, "function"]],
    );
  }));

Deno.test("the openai package gets text if tools are only offered", () =>
  withSdk({}, async (sdk) => {
    const answer = await sdk.chat.completions.create({
      model: "m",
      messages: HELLO,
      tools: [TOOL],
    });
    assert.equal(answer.choices[0].message.tool_calls, undefined);
  }));

Deno.test("the openai package gets structured output that matches the schema", () =>
  withSdk({}, async (sdk) => {
    const answer = await sdk.chat.completions.create({
      model: "m",
      messages: HELLO,
      response_format: {
        type: "json_schema",
        json_schema: { name: "weather", schema: TOOL.function.parameters },
      },
    });
    const value = JSON.parse(answer.choices[0].message.content!);
    assert.deepEqual(value, { city: "text", unit: "C", days: 1 });
  }));

Deno.test("the openai package lists the models", () =>
  withSdk({ models: ["a", "b"] }, async (sdk) => {
    const ids: string[] = [];
    for await (const model of sdk.models.list()) ids.push(model.id);
    assert.deepEqual(ids, ["a", "b"]);
  }));

Deno.test("the openai package sees OpenAI's errors", () =>
  withSdk({ errorRate: 1 }, async (sdk, baseUrl) => {
    const ask = sdk.chat.completions.create({ model: "m", messages: HELLO });
    await assert.rejects(ask, (error: APIError) => {
      assert.deepEqual([error.status, error.type], [500, "server_error"]);
      return true;
    });
    const lost = new OpenAI({ baseURL: `${baseUrl}/nowhere`, apiKey: "none", maxRetries: 0 });
    await assert.rejects(lost.models.list(), { status: 404 });
  }));

Deno.test("an invalid request gets an error that says what is wrong", async () => {
  const app = createMockApp();
  const post = async (body: string) => {
    const init = { method: "POST", headers: { "content-type": "application/json" }, body };
    const response = await app.fetch(new Request("http://mock/v1/chat/completions", init));
    return { status: response.status, ...await response.json() };
  };
  assert.equal((await post("{")).status, 400);
  const noMessages = await post('{"model":"m"}');
  assert.deepEqual([noMessages.status, noMessages.error.param], [400, "messages"]);
  const noModel = await post('{"messages":[{"role":"user","content":"x"}]}');
  assert.deepEqual([noModel.error.type, noModel.error.param], ["invalid_request_error", "model"]);
});

Deno.test("above the rate limit, requests get a 429 with the time to retry", () =>
  withSdk({ rps: 3 }, async (sdk) => {
    const asks = Array.from(
      { length: 40 },
      () =>
        sdk.chat.completions.create({ model: "m", messages: HELLO }).then(
          () => 200,
          (e: APIError) => {
            assert.equal(e.headers?.get("retry-after"), "1");
            assert.ok(Number(e.headers?.get("retry-after-ms")) <= 1000);
            assert.equal(e.code, "rate_limit_exceeded");
            return e.status;
          },
        ),
    );
    const statuses = await Promise.all(asks);
    assert.deepEqual([...new Set(statuses)].sort(), [200, 429]);
    assert.ok(statuses.filter((status) => status === 200).length >= 3);
  }));

Deno.test("the rate limit covers any second and reports when the next request is allowed", () => {
  const rate = new RequestRate(3);
  assert.deepEqual([0, 100, 900].map((now) => rate.take(now)), [undefined, undefined, undefined]);
  assert.deepEqual(rate.state(900), { limit: 3, remaining: 0, reset: 0.1 });
  assert.deepEqual([950, 999].map((now) => rate.take(now)), [50, 1]);
  assert.deepEqual([1000, 1001].map((now) => rate.take(now)), [undefined, 99]);
});

Deno.test("the same seed gives the same answers and the same errors", async () => {
  const outcomes = async (seed: number) => {
    const app = createMockApp({ seed, errorRate: 0.5 });
    const statuses: number[] = [];
    for (let i = 0; i < 20; i++) {
      const body = JSON.stringify({ model: "m", messages: HELLO });
      const init = { method: "POST", body };
      const response = await app.fetch(new Request("http://mock/v1/chat/completions", init));
      statuses.push(response.status);
      await response.body?.cancel();
    }
    return statuses;
  };
  assert.deepEqual(await outcomes(7), await outcomes(7));
  assert.notDeepEqual(await outcomes(7), await outcomes(8));
});

Deno.test("an answer ends at the token limit", () =>
  withSdk({ length: 400 }, async (sdk) => {
    const answer = await sdk.chat.completions.create({
      model: "m",
      messages: HELLO,
      max_tokens: 5,
    });
    assert.equal(answer.choices[0].message.content?.length, 20);
    assert.equal(answer.choices[0].finish_reason, "length");
    assert.equal(answer.usage?.completion_tokens, 5);
  }));

Deno.test("samples match the schema, including references, choices and bounds", () => {
  const schema = {
    type: "object",
    properties: {
      tree: { $ref: "#/$defs/node" },
      size: { type: "integer", minimum: 5, maximum: 9 },
      ratio: { type: "number", exclusiveMinimum: 0, maximum: 0.5 },
      choice: { anyOf: [{ type: "null" }, { type: "string" }] },
      tags: { type: "array", minItems: 2, items: { type: "string", minLength: 6 } },
      when: { type: "string", format: "date" },
      fixed: { const: 42 },
      both: { allOf: [{ type: "object", properties: { a: { type: "boolean" } } }] },
    },
    required: ["tree"],
    $defs: {
      node: {
        type: "object",
        properties: { children: { type: "array", items: { $ref: "#/$defs/node" } } },
      },
    },
  };
  const { tree, ...rest } = sampleOf(schema) as Record<string, unknown>;
  assert.ok(Array.isArray((tree as { children: unknown }).children));
  assert.deepEqual(rest, {
    size: 5,
    ratio: 0.5,
    choice: null,
    tags: ["textxx", "textxx"],
    when: "2026-01-02",
    fixed: 42,
    both: { a: true },
  });
});

Deno.test("invalid options and a port in use are reported", async () => {
  const wrong: MockOptions[] = [
    { delay: [5, 1] },
    { delay: -1 },
    { errorRate: 2 },
    { rps: 0 },
    { tokenRate: -1 },
    { seed: 0.5 },
  ];
  for (const options of wrong) {
    assert.throws(() => createMockApp(options), { code: "configuration" });
  }
  await using server = await startMockServer();
  await assert.rejects(
    () => startMockServer({ port: server.port }),
    (error: Error & { hint?: string }) => {
      assert.equal(error.message, `127.0.0.1:${server.port} is in use by another program`);
      assert.match(error.hint!, /--port/);
      return true;
    },
  );
});
