/** The unmodified package of OpenAI talks to every provider through the gateway, by Chat Completions. */
import assert from "node:assert/strict";
import OpenAI from "openai";
import { openAccess } from "../../../lib/gateway/access/open_access.ts";
import type { GatewayOptions, MockOptions } from "../../../mod.ts";
import {
  type ClientGateway,
  PIXEL,
  PROVIDER_NAMES,
  startClientGateway,
  WEATHER,
  WEATHER_SCHEMA,
} from "../../support/client_gateway.ts";

type Turn = OpenAI.ChatCompletionMessageParam;
type Request = Omit<OpenAI.ChatCompletionCreateParamsNonStreaming, "stream">;

const HELLO: Turn[] = [{ role: "user", content: "Hello there" }];
const TOOLS = [{
  type: "function" as const,
  function: { name: "get_weather", description: "Weather", parameters: WEATHER_SCHEMA },
}];

async function withSdk(
  use: (sdk: OpenAI, gateway: ClientGateway) => Promise<void>,
  mock: MockOptions = {},
  options: GatewayOptions = {},
  apiKey = "none",
) {
  await using gateway = await startClientGateway(mock, options);
  await use(new OpenAI({ baseURL: `${gateway.origin}/v1`, apiKey, maxRetries: 0 }), gateway);
}

/** Sends a request plain and streamed. */
async function both(sdk: OpenAI, request: Request) {
  const streamed = { ...request, stream_options: { include_usage: true } };
  return [
    await sdk.chat.completions.create(request),
    await sdk.chat.completions.stream(streamed).finalChatCompletion(),
  ] as const;
}

for (const model of PROVIDER_NAMES) {
  Deno.test(`openai chat, ${model}: reasoning, and the answer's return in the next turn`, () =>
    withSdk(async (sdk, { upstream }) => {
      const [plain, streamed] = await both(sdk, {
        model,
        messages: [{ role: "developer", content: "Be brief." }, ...HELLO],
        reasoning_effort: "low",
        max_completion_tokens: 2000,
      });
      const [{ message, finish_reason }] = plain.choices;
      assert.match(message.content!, /Hello there/);
      assert.equal(streamed.choices[0].message.content, message.content);
      assert.deepEqual([finish_reason, streamed.choices[0].finish_reason], ["stop", "stop"]);
      assert.ok(plain.usage!.prompt_tokens > 0);
      assert.equal(streamed.usage?.completion_tokens, plain.usage!.completion_tokens);
      for (const { choices: [{ message }] } of [plain, streamed]) {
        const messages: Turn[] = [...HELLO, message, { role: "user", content: "And now?" }];
        const [second] = await both(sdk, { model, messages, reasoning_effort: "low" });
        assert.equal(second.choices[0].finish_reason, "stop");
      }
      assert.ok(upstream.every(({ status }) => status === 200));
    }));

  Deno.test(`openai chat, ${model}: a tool call and its result, with an image`, () =>
    withSdk(async (sdk, { upstream }) => {
      const messages: Turn[] = [{
        role: "user",
        content: [
          { type: "text", text: "What is the weather here?" },
          { type: "image_url", image_url: { url: `data:image/png;base64,${PIXEL}` } },
        ],
      }];
      const request = { model, tools: TOOLS };
      for (const first of await both(sdk, { ...request, messages, tool_choice: "required" })) {
        const [{ message, finish_reason }] = first.choices;
        assert.equal(finish_reason, "tool_calls");
        const [call] = message.tool_calls!;
        assert.ok(call.type === "function");
        assert.deepEqual(
          [call.function.name, JSON.parse(call.function.arguments)],
          ["get_weather", WEATHER],
        );
        const next: Turn[] = [
          ...messages,
          message,
          { role: "tool", tool_call_id: call.id, content: "Sunny." },
        ];
        for (const second of await both(sdk, { ...request, messages: next })) {
          assert.equal(second.choices[0].finish_reason, "stop");
        }
      }
      assert.ok(upstream.every(({ body }) => JSON.stringify(body).includes(PIXEL)));
      assert.match(JSON.stringify(upstream.at(-1)!.body), /Sunny\./);
    }));

  Deno.test(`openai chat, ${model}: structured output, and unknown models`, () =>
    withSdk(async (sdk) => {
      const json_schema = { name: "weather", strict: true, schema: WEATHER_SCHEMA };
      const response_format = { type: "json_schema" as const, json_schema };
      for (const { choices } of await both(sdk, { model, messages: HELLO, response_format })) {
        assert.deepEqual(JSON.parse(choices[0].message.content!), WEATHER);
      }
      await assert.rejects(sdk.chat.completions.create({ model: "nope", messages: HELLO }), {
        status: 404,
        code: "model_not_found",
        message: /nope/,
      });
    }));

  Deno.test(`openai chat, ${model}: errors of the provider`, async () => {
    const request = { model, messages: HELLO };
    await withSdk(async (sdk) => {
      const asks = [
        sdk.chat.completions.create(request),
        sdk.chat.completions.stream(request).done(),
      ];
      for (const ask of asks) await assert.rejects(ask, { status: 503 });
    }, { responses: [{ status: 503, text: "Down for maintenance." }] });
    await withSdk(
      (sdk) => assert.rejects(sdk.chat.completions.stream(request).finalChatCompletion()),
      { errorRate: 1, errorKinds: ["disconnect"] },
    );
  });
}

Deno.test("openai: lists the models of the key, embeds, and reads the gateway's own errors", async () => {
  const access = await openAccess({});
  const limited = await access.keys.create("limited", { rpm: 2, models: ["responses", "claude"] });
  const poor = await access.keys.create("poor", { budget: { total: 0.000001 } });
  const request = { model: "responses", messages: HELLO };
  await withSdk(
    async (sdk) => {
      const ids: string[] = [];
      for await (const { id } of sdk.models.list()) ids.push(id);
      assert.deepEqual(ids, ["responses", "claude"]);
      assert.equal((await sdk.models.retrieve("claude")).id, "claude");
      await assert.rejects(sdk.models.retrieve("chat"), { status: 404 });
      await assert.rejects(sdk.chat.completions.create({ ...request, model: "chat" }), {
        status: 403,
      });
      const { data } = await sdk.embeddings.create({ model: "responses", input: ["a", "b"] });
      assert.ok(data.length === 2 && data[0].embedding.length > 1);
      await sdk.chat.completions.create(request);
      const refused = await sdk.chat.completions.create(request).catch((error) => error);
      assert.ok(refused instanceof OpenAI.RateLimitError);
      assert.ok(Number(refused.headers.get("retry-after")) > 0);
    },
    {},
    { access },
    limited.secret,
  );
  await withSdk(
    (sdk) => assert.rejects(sdk.chat.completions.create(request), { status: 402, message: /poor/ }),
    {},
    { access },
    poor.secret,
  );
  await withSdk(
    (sdk) => assert.rejects(sdk.chat.completions.create(request), OpenAI.AuthenticationError),
    {},
    { access },
  );
});
