/** The unmodified package of Anthropic talks to every provider through the gateway. */
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
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

type Turn = Anthropic.MessageParam;

const HELLO: Turn[] = [{ role: "user", content: "Hello there" }];
const TOOLS = [{ name: "get_weather", description: "Weather", input_schema: WEATHER_SCHEMA }];

async function withSdk(
  use: (sdk: Anthropic, gateway: ClientGateway) => Promise<void>,
  mock: MockOptions = {},
  options: GatewayOptions = {},
  apiKey = "none",
) {
  await using gateway = await startClientGateway(mock, options);
  await use(new Anthropic({ baseURL: gateway.origin, apiKey, maxRetries: 0 }), gateway);
}

/** Sends a request plain and streamed. */
async function both(sdk: Anthropic, request: Anthropic.MessageCreateParamsNonStreaming) {
  return [
    await sdk.messages.create(request),
    await sdk.messages.stream(request).finalMessage(),
  ] as const;
}

for (const model of PROVIDER_NAMES) {
  Deno.test(`@anthropic-ai/sdk, ${model}: thinking, and its return in the next turn`, () =>
    withSdk(async (sdk, { upstream }) => {
      const request = { model, max_tokens: 2000, thinking: { type: "adaptive" as const } };
      const [plain, streamed] = await both(sdk, { ...request, messages: HELLO });
      const [readable, alsoReadable] = [plain, streamed].map(({ content }) =>
        content.filter(({ type }) => type !== "redacted_thinking")
      );
      assert.deepEqual(alsoReadable, readable);
      assert.deepEqual(readable.map(({ type }) => type), ["thinking", "text"]);
      assert.equal(plain.stop_reason, "end_turn");
      assert.ok(plain.usage.input_tokens > 0);
      assert.equal(streamed.usage.output_tokens, plain.usage.output_tokens);
      const messages: Turn[] = [
        ...HELLO,
        { role: "assistant", content: plain.content },
        { role: "user", content: "And now?" },
      ];
      const [second] = await both(sdk, { ...request, messages });
      assert.equal(second.stop_reason, "end_turn");
      assert.deepEqual(upstream.map(({ status }) => status), [200, 200, 200, 200]);
    }));

  Deno.test(`@anthropic-ai/sdk, ${model}: a tool call and its result, with an image`, () =>
    withSdk(async (sdk, { upstream }) => {
      const request = { model, max_tokens: 1000, tools: TOOLS };
      const messages: Turn[] = [{
        role: "user",
        content: [
          { type: "text", text: "What is the weather here?" },
          { type: "image", source: { type: "base64", media_type: "image/png", data: PIXEL } },
        ],
      }];
      const forced = { ...request, tool_choice: { type: "any" as const }, messages };
      for (const first of await both(sdk, forced)) {
        assert.equal(first.stop_reason, "tool_use");
        const use = first.content.find((block) => block.type === "tool_use")!;
        assert.deepEqual([use.name, use.input], ["get_weather", WEATHER]);
        const content = [
          { type: "text" as const, text: "Sunny." },
          {
            type: "image" as const,
            source: { type: "base64" as const, media_type: "image/png" as const, data: PIXEL },
          },
        ];
        const next: Turn[] = [...messages, { role: "assistant", content: first.content }, {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: use.id, content },
            { type: "text", text: "Thanks!" },
          ],
        }];
        for (const second of await both(sdk, { ...request, messages: next })) {
          assert.equal(second.stop_reason, "end_turn");
        }
      }
      assert.ok(upstream.every(({ body }) => JSON.stringify(body).includes(PIXEL)));
      assert.match(JSON.stringify(upstream.at(-1)!.body), /Sunny\./);
    }));

  Deno.test(`@anthropic-ai/sdk, ${model}: structured output, token counts, unknown models`, () =>
    withSdk(async (sdk) => {
      const output_config = {
        format: { type: "json_schema" as const, schema: WEATHER_SCHEMA },
      };
      const request = { model, max_tokens: 1000, messages: HELLO };
      for (const { content } of await both(sdk, { ...request, output_config })) {
        const block = content.find(({ type }) => type === "text");
        assert.deepEqual(JSON.parse((block as Anthropic.TextBlock).text), WEATHER);
      }
      const short = await sdk.messages.countTokens({ model, messages: HELLO });
      const long = await sdk.messages.countTokens({
        model,
        messages: HELLO,
        tools: TOOLS,
        system: "Answer in a few words.",
      });
      assert.ok(short.input_tokens > 0 && long.input_tokens > short.input_tokens + 5);
      await assert.rejects(sdk.messages.create({ ...request, model: "nope" }), {
        status: 404,
        type: "not_found_error",
        message: /nope/,
      });
    }));

  Deno.test(`@anthropic-ai/sdk, ${model}: errors of the provider`, async () => {
    const request = { model, max_tokens: 100, messages: HELLO };
    await withSdk(async (sdk) => {
      for (const ask of [sdk.messages.create(request), sdk.messages.stream(request).done()]) {
        await assert.rejects(ask, { status: 429, type: "rate_limit_error" });
      }
    }, { errorRate: 1, errorKinds: ["rate_limit"] });
    await withSdk(
      (sdk) => assert.rejects(sdk.messages.stream(request).finalMessage()),
      { errorRate: 1, errorKinds: ["disconnect"] },
    );
  });
}

Deno.test("@anthropic-ai/sdk: a conversation moves from provider to provider with its thinking", () =>
  withSdk(async (sdk, { upstream }) => {
    const messages = [...HELLO];
    for (const model of [...PROVIDER_NAMES, ...PROVIDER_NAMES.toReversed()]) {
      const request = {
        model,
        max_tokens: 2000,
        thinking: { type: "adaptive" as const },
        messages,
      };
      const { content } = await sdk.messages.stream(request).finalMessage();
      assert.ok(content.some(({ type }) => type === "thinking"));
      messages.push({ role: "assistant", content }, { role: "user", content: `Not ${model}!` });
    }
    for (const { path, body, status } of upstream) {
      assert.equal(status, 200);
      // Anthropic rejects thinking without its own signature.
      if (path.endsWith("/messages")) assert.doesNotMatch(JSON.stringify(body), /"signature":""/);
    }
  }));

Deno.test("@anthropic-ai/sdk: lists the models of the key, and reads the gateway's own errors", async () => {
  const access = await openAccess({});
  const limited = await access.keys.create("limited", { rpm: 1, models: ["claude", "chat"] });
  const poor = await access.keys.create("poor", { budget: { total: 0.000001 } });
  const request = { model: "claude", max_tokens: 100, messages: HELLO };
  await withSdk(
    async (sdk) => {
      const ids: string[] = [];
      for await (const { id } of sdk.models.list({ limit: 1 })) ids.push(id);
      assert.deepEqual(ids, ["chat", "claude"]);
      await assert.rejects(sdk.messages.create({ ...request, model: "gemini" }), { status: 403 });
      await sdk.messages.create(request);
      const refused = await sdk.messages.create(request).catch((error) => error);
      assert.ok(refused instanceof Anthropic.RateLimitError);
      assert.ok(Number(refused.headers.get("retry-after")) > 0);
      await sdk.messages.countTokens({ model: "chat", messages: HELLO });
    },
    {},
    { access },
    limited.secret,
  );
  await withSdk(
    (sdk) => assert.rejects(sdk.messages.create(request), { status: 402, message: /poor/ }),
    {},
    { access },
    poor.secret,
  );
  await withSdk(
    (sdk) => assert.rejects(sdk.messages.create(request), Anthropic.AuthenticationError),
    {},
    { access },
  );
});
