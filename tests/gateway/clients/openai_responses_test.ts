/** The unmodified package of OpenAI talks to every provider through the gateway, by the Responses API. */
import assert from "node:assert/strict";
import OpenAI from "openai";
import type { MockOptions } from "../../../mod.ts";
import {
  type ClientGateway,
  PIXEL,
  PROVIDER_NAMES,
  startClientGateway,
  WEATHER,
  WEATHER_SCHEMA,
} from "../../support/client_gateway.ts";

type Item = OpenAI.Responses.ResponseInputItem;
type Request = OpenAI.Responses.ResponseCreateParamsNonStreaming;

const HELLO: Item[] = [{ role: "user", content: "Hello there" }];
const STATELESS = { store: false, include: ["reasoning.encrypted_content" as const] };
const TOOLS = [{
  type: "function" as const,
  name: "get_weather",
  description: "Weather",
  parameters: WEATHER_SCHEMA,
  strict: true,
}];

async function withSdk(
  use: (sdk: OpenAI, gateway: ClientGateway) => Promise<void>,
  mock: MockOptions = {},
) {
  await using gateway = await startClientGateway(mock);
  const baseURL = `${gateway.origin}/v1`;
  await use(new OpenAI({ baseURL, apiKey: "none", maxRetries: 0 }), gateway);
}

/** Sends a request plain and streamed. */
async function both(sdk: OpenAI, request: Request) {
  const { stream: _, ...rest } = request;
  return [
    await sdk.responses.create(request),
    await sdk.responses.stream(rest).finalResponse(),
  ] as const;
}

for (const model of PROVIDER_NAMES) {
  Deno.test(`openai responses, ${model}: reasoning, and its return in the next turn`, () =>
    withSdk(async (sdk, { upstream }) => {
      const request = {
        model,
        ...STATELESS,
        instructions: "Be brief.",
        reasoning: { effort: "low" as const, summary: "auto" as const },
      };
      const [plain, streamed] = await both(sdk, { ...request, input: HELLO });
      assert.match(plain.output_text, /Hello there/);
      assert.equal(streamed.output_text, plain.output_text);
      assert.deepEqual([plain.status, streamed.status], ["completed", "completed"]);
      assert.equal(streamed.usage?.output_tokens, plain.usage?.output_tokens);
      for (const { output } of [plain, streamed]) {
        assert.ok(output.some(({ type }) => type === "reasoning"));
        const input = [...HELLO, ...output as Item[], { role: "user" as const, content: "Now?" }];
        const [second] = await both(sdk, { ...request, input });
        assert.equal(second.status, "completed");
      }
      assert.ok(upstream.every(({ status }) => status === 200));
    }));

  Deno.test(`openai responses, ${model}: a tool call and its result, with images`, () =>
    withSdk(async (sdk, { upstream }) => {
      const image_url = `data:image/png;base64,${PIXEL}`;
      const input: Item[] = [{
        role: "user",
        content: [
          { type: "input_text", text: "What is the weather here?" },
          { type: "input_image", detail: "auto", image_url },
        ],
      }];
      const request = { model, ...STATELESS, tools: TOOLS };
      for (const first of await both(sdk, { ...request, input, tool_choice: "required" })) {
        const call = first.output.find(({ type }) => type === "function_call");
        assert.ok(call?.type === "function_call");
        assert.deepEqual([call.name, JSON.parse(call.arguments)], ["get_weather", WEATHER]);
        const output = [
          { type: "input_text" as const, text: "Sunny." },
          { type: "input_image" as const, image_url },
        ];
        const next: Item[] = [
          ...input,
          ...first.output as Item[],
          { type: "function_call_output", call_id: call.call_id, output },
        ];
        for (const second of await both(sdk, { ...request, input: next })) {
          assert.equal(second.status, "completed");
          assert.notEqual(second.output_text, "");
        }
      }
      assert.ok(upstream.every(({ body }) => JSON.stringify(body).includes(PIXEL)));
      assert.match(JSON.stringify(upstream.at(-1)!.body), /Sunny\./);
    }));

  Deno.test(`openai responses, ${model}: structured output, token counts, unknown models`, () =>
    withSdk(async (sdk) => {
      const format = {
        type: "json_schema" as const,
        name: "weather",
        strict: true,
        schema: WEATHER_SCHEMA,
      };
      for (const response of await both(sdk, { model, input: "Hi", text: { format } })) {
        assert.deepEqual(JSON.parse(response.output_text), WEATHER);
      }
      const count = await sdk.responses.inputTokens.count({ model, input: "Hello there" });
      assert.ok(count.input_tokens > 0);
      await assert.rejects(sdk.responses.create({ model: "nope", input: "Hi" }), {
        status: 404,
        code: "model_not_found",
      });
    }));

  Deno.test(`openai responses, ${model}: errors of the provider`, async () => {
    const request = { model, input: "Hi" };
    await withSdk(async (sdk) => {
      for (const ask of [sdk.responses.create(request), sdk.responses.stream(request).done()]) {
        await assert.rejects(ask, { status: 503 });
      }
    }, { responses: [{ status: 503, text: "Down for maintenance." }] });
    await withSdk(async (sdk) => {
      const events: string[] = [];
      const stream = await sdk.responses.create({ ...request, stream: true });
      const read = (async () => {
        for await (const { type } of stream) events.push(type);
      })();
      await read.catch(() => {});
      assert.ok(!events.includes("response.completed"), events.join());
    }, { errorRate: 1, errorKinds: ["disconnect"] });
  });
}

Deno.test("openai responses: a conversation moves from provider to provider with its reasoning", () =>
  withSdk(async (sdk, { upstream }) => {
    const input = [...HELLO];
    const reasoning = { effort: "low" as const, summary: "auto" as const };
    for (const model of [...PROVIDER_NAMES, ...PROVIDER_NAMES.toReversed()]) {
      const { output } = await sdk.responses.stream({ model, ...STATELESS, reasoning, input })
        .finalResponse();
      assert.ok(output.some(({ type }) => type === "reasoning"));
      input.push(...output as Item[], { role: "user", content: `Not ${model}!` });
    }
    for (const { body, path, status } of upstream) {
      assert.equal(status, 200);
      if (!path.endsWith("/responses")) continue;
      const items = (body.input as { type?: string; encrypted_content?: string }[])
        .filter(({ type }) => type === "reasoning");
      assert.ok(items.every(({ encrypted_content }) => encrypted_content));
    }
  }));
