/** The unmodified packages of Anthropic, Google, OpenAI and Vercel read translated answers of every provider. */
import assert from "node:assert/strict";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI, type Part } from "@google/genai";
import { jsonSchema, type LanguageModel, stepCountIs, streamText, tool } from "ai";
import OpenAI from "openai";
import { CLAUDE, type Format, GEMINI, RESPONSES } from "../../../../support/serve_formats.ts";
import { startLaneServer } from "./lane_server.ts";
import { CLAUDE_SIGNATURE, GEMINI_SIGNATURE, OPENAI_ENCRYPTED } from "./provider_traffic.ts";
import { PROVIDERS, type TestProvider } from "./translated_call.ts";

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

const HI = [{ role: "user" as const, content: "Hi" }];
const SCHEMA = { type: "object" as const, properties: {} };

/** What a second request must contain of the first answer, for each provider. */
const SIGNATURES: Record<string, string> = {
  claude: CLAUDE_SIGNATURE,
  responses: OPENAI_ENCRYPTED,
  gemini: GEMINI_SIGNATURE,
  chat: "Two calls.",
};

/** All providers that need a translation for a client. */
function providersFor(format: Format | undefined): readonly TestProvider[] {
  return PROVIDERS.filter((provider) => provider.format !== format);
}

for (const provider of providersFor(CLAUDE)) {
  Deno.test(`@anthropic-ai/sdk from ${provider.name}: stream helper, tool loop, errors`, async () => {
    await using server = await startLaneServer(provider, "tools", "text", "truncated");
    const sdk = new Anthropic({ baseURL: server.origin, apiKey: "none", maxRetries: 0 });
    const request = {
      model: "smart",
      max_tokens: 1000,
      thinking: { type: "adaptive" as const },
      tools: ["weather", "time"].map((name) => ({ name, input_schema: SCHEMA })),
    };
    const first = await sdk.messages.stream({ ...request, messages: HI }).finalMessage();
    assert.equal(first.stop_reason, "tool_use");
    const uses = first.content.filter((block) => block.type === "tool_use");
    assert.deepEqual(uses.map(({ input }) => input), [{ city: "Köln" }, { zone: "CET" }]);
    const { input_tokens, cache_read_input_tokens, output_tokens } = first.usage;
    assert.deepEqual([input_tokens, cache_read_input_tokens, output_tokens], [36, 64, 20]);
    const results = uses.map(({ id }) => ({
      type: "tool_result" as const,
      tool_use_id: id,
      content: "ok",
    }));
    const second = await sdk.messages.create({
      ...request,
      messages: [...HI, { role: "assistant", content: first.content }, {
        role: "user",
        content: results,
      }],
    });
    const [block] = second.content;
    assert.equal(block.type === "text" && block.text, "Grüße, Welt.");
    assert.ok(JSON.stringify(server.sent[1]).includes(SIGNATURES[provider.name]));
    await assert.rejects(sdk.messages.stream({ ...request, messages: HI }).finalMessage());
  });
}

for (const provider of providersFor(RESPONSES)) {
  Deno.test(`openai responses from ${provider.name}: stream helper, tool loop, errors`, async () => {
    await using server = await startLaneServer(provider, "tools", "text", "truncated");
    const sdk = new OpenAI({ baseURL: server.origin, apiKey: "none", maxRetries: 0 });
    const request = {
      model: "smart",
      store: false,
      include: ["reasoning.encrypted_content" as const],
      tools: ["weather", "time"].map((name) => ({
        type: "function" as const,
        name,
        parameters: SCHEMA,
        strict: false,
      })),
    };
    const first = await sdk.responses.stream({ ...request, input: HI }).finalResponse();
    assert.equal(first.output_text, "Checking.");
    const calls = first.output.filter((item) => item.type === "function_call");
    assert.deepEqual(calls.map((call) => JSON.parse(call.arguments)), [
      { city: "Köln" },
      { zone: "CET" },
    ]);
    assert.equal(first.usage?.total_tokens, 120);
    const outputs = calls.map(({ call_id }) => ({
      type: "function_call_output" as const,
      call_id,
      output: "ok",
    }));
    const second = await sdk.responses.create({
      ...request,
      input: [...HI, ...first.output as OpenAI.Responses.ResponseInputItem[], ...outputs],
    });
    assert.equal(second.output_text, "Grüße, Welt.");
    assert.ok(JSON.stringify(server.sent[1]).includes(SIGNATURES[provider.name]));
    const broken = await sdk.responses.stream({ ...request, input: HI }).finalResponse();
    assert.equal(broken.status, "failed");
    assert.match(broken.error!.message, /ended before/);
  });
}

for (const provider of PROVIDERS.filter(({ name }) => name !== "chat")) {
  Deno.test(`openai chat from ${provider.name}: stream helper, tool loop, errors`, async () => {
    await using server = await startLaneServer(provider, "tools", "text", "truncated");
    const sdk = new OpenAI({ baseURL: server.origin, apiKey: "none", maxRetries: 0 });
    const request = {
      model: "smart",
      tools: ["weather", "time"].map((name) => ({
        type: "function" as const,
        function: { name, parameters: SCHEMA },
      })),
      stream_options: { include_usage: true },
    };
    const first = await sdk.chat.completions.stream({ ...request, messages: HI })
      .finalChatCompletion();
    const [{ message, finish_reason }] = first.choices;
    assert.equal(finish_reason, "tool_calls");
    const calls = message.tool_calls!.filter((call) => call.type === "function");
    assert.deepEqual(calls.map((call) => JSON.parse(call.function.arguments)), [
      { city: "Köln" },
      { zone: "CET" },
    ]);
    assert.equal(first.usage?.total_tokens, 120);
    const results = calls.map(({ id }) => ({
      role: "tool" as const,
      tool_call_id: id,
      content: "ok",
    }));
    const second = await sdk.chat.completions.create({
      model: "smart",
      tools: request.tools,
      messages: [...HI, message, ...results],
    });
    assert.equal(second.choices[0].message.content, "Grüße, Welt.");
    assert.ok(JSON.stringify(server.sent[1]).includes(SIGNATURES[provider.name]));
    await assert.rejects(
      sdk.chat.completions.stream({ ...request, messages: HI }).finalChatCompletion(),
    );
  });
}

for (const provider of providersFor(GEMINI)) {
  Deno.test(`@google/genai from ${provider.name}: streams, tool loop, errors`, async () => {
    await using server = await startLaneServer(provider, "tools", "text", "truncated");
    const sdk = new GoogleGenAI({ apiKey: "none", httpOptions: { baseUrl: server.origin } });
    const config = {
      thinkingConfig: { includeThoughts: true },
      tools: [{
        functionDeclarations: ["weather", "time"].map((name) => ({
          name,
          parametersJsonSchema: SCHEMA,
        })),
      }],
    };
    const user = { role: "user", parts: [{ text: "Hi" }] };
    const parts: Part[] = [];
    let total: number | undefined;
    const stream = await sdk.models.generateContentStream({
      model: "smart",
      contents: [user],
      config,
    });
    for await (const chunk of stream) {
      parts.push(...chunk.candidates?.[0].content?.parts ?? []);
      total = chunk.usageMetadata?.totalTokenCount ?? total;
    }
    const calls = parts.flatMap(({ functionCall }) => functionCall ?? []);
    assert.deepEqual(calls.map(({ args }) => args), [{ city: "Köln" }, { zone: "CET" }]);
    assert.equal(total, 120);
    const results = calls.map(({ id, name }) => ({
      functionResponse: { id, name, response: { output: "ok" } },
    }));
    const second = await sdk.models.generateContent({
      model: "smart",
      contents: [user, { role: "model", parts }, { role: "user", parts: results }],
      config,
    });
    assert.equal(second.text, "Grüße, Welt.");
    assert.ok(JSON.stringify(server.sent[1]).includes(SIGNATURES[provider.name]));
    await assert.rejects(async () => {
      const broken = await sdk.models.generateContentStream({
        model: "smart",
        contents: [user],
        config,
      });
      for await (const _ of broken);
    });
  });
}

function aiModels(baseURL: string): Record<string, [LanguageModel, Format | undefined]> {
  const apiKey = "none";
  const compatible = createOpenAICompatible({ name: "x", baseURL, includeUsage: true });
  return {
    chat: [createOpenAI({ baseURL, apiKey }).chat("smart"), undefined],
    compatible: [compatible("smart"), undefined],
    responses: [createOpenAI({ baseURL, apiKey }).responses("gpt-6-sol"), RESPONSES],
    anthropic: [createAnthropic({ baseURL, apiKey })("claude-opus-5"), CLAUDE],
    google: [createGoogleGenerativeAI({ baseURL, apiKey })("gemini-3-flash"), GEMINI],
  };
}

for (const name of Object.keys(aiModels("http://host"))) {
  for (const provider of PROVIDERS) {
    if (aiModels("http://host")[name][1] === provider.format) continue;
    if (provider.name === "chat" && (name === "chat" || name === "compatible")) continue;
    Deno.test(`ai, ${name} from ${provider.name}: a streamed tool loop`, async () => {
      await using server = await startLaneServer(provider, "tools", "text");
      const [model] = aiModels(server.origin)[name];
      const called: unknown[] = [];
      const answering = (tool_: string) =>
        tool({
          inputSchema: jsonSchema(SCHEMA),
          execute: (input) => {
            called.push([tool_, input]);
            return "ok";
          },
        });
      const result = streamText({
        model,
        prompt: "Hi",
        tools: { weather: answering("weather"), time: answering("time") },
        stopWhen: stepCountIs(2),
        // Otherwise it refers to items that OpenAI has stored.
        providerOptions: { openai: { store: false } },
        maxRetries: 0,
        onError: ({ error }) => {
          throw error;
        },
      });
      let text = "";
      for await (const piece of result.textStream) text += piece;
      assert.equal(text, "Checking.Grüße, Welt.");
      assert.deepEqual(called, [["weather", { city: "Köln" }], ["time", { zone: "CET" }]]);
      assert.equal(await result.finishReason, "stop");
      assert.equal((await result.usage).outputTokens, 40);
      assert.equal(server.sent.length, 2);
      // In Chat Completions, this package only keeps Gemini's signatures.
      if (name !== "chat" && (name !== "compatible" || provider.format === GEMINI)) {
        assert.ok(JSON.stringify(server.sent[1]).includes(SIGNATURES[provider.name]));
      }
    });
  }
}
