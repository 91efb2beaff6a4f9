/** The `ai` package and its unmodified providers work with the mock. */
import assert from "node:assert/strict";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateObject, generateText, jsonSchema, type LanguageModel, streamText, tool } from "ai";
import { type MockOptions, startMockServer } from "../../mod.ts";

const SCHEMA = {
  type: "object" as const,
  properties: { city: { type: "string" as const }, days: { type: "integer" as const } },
  required: ["city", "days"],
  additionalProperties: false,
};

function modelsOf(baseURL: string): Record<string, LanguageModel> {
  const apiKey = "none";
  return {
    "openai chat": createOpenAI({ baseURL, apiKey }).chat("gpt-5.5"),
    "openai responses": createOpenAI({ baseURL, apiKey }).responses("gpt-6-sol"),
    "openai-compatible": createOpenAICompatible({
      name: "x",
      baseURL,
      includeUsage: true,
      supportsStructuredOutputs: true,
    })("qwen3"),
    anthropic: createAnthropic({ baseURL, apiKey })("claude-opus-5"),
    google: createGoogleGenerativeAI({ baseURL: `${baseURL}beta`, apiKey })("gemini-3-flash"),
  };
}

function forEachModel(
  name: string,
  options: MockOptions,
  body: (model: LanguageModel) => Promise<void>,
): void {
  for (const provider of Object.keys(modelsOf("http://host/v1"))) {
    Deno.test(`ai, ${provider}: ${name}`, async () => {
      await using server = await startMockServer(options);
      await body(modelsOf(server.baseUrl)[provider]);
    });
  }
}

forEachModel("plain and streamed text with usage", { length: 100 }, async (model) => {
  const plain = await generateText({ model, prompt: "Hello there" });
  assert.match(plain.text, /^You asked: ".*Hello there/);
  assert.equal(plain.finishReason, "stop");
  assert.ok(plain.usage.outputTokens! > 0);
  const streamed = streamText({ model, prompt: "Hello there" });
  let text = "";
  for await (const piece of streamed.textStream) text += piece;
  assert.equal(text, plain.text);
  assert.equal((await streamed.usage).outputTokens, plain.usage.outputTokens);
});

forEachModel("a tool call", {}, async (model) => {
  const tools = { get_weather: tool({ description: "Weather", inputSchema: jsonSchema(SCHEMA) }) };
  const { toolCalls } = await generateText({ model, prompt: "Hi", tools, toolChoice: "required" });
  assert.deepEqual(toolCalls.map(({ toolName, input }) => [toolName, input]), [
    ["get_weather", { city: "text", days: 1 }],
  ]);
});

forEachModel("structured output", {}, async (model) => {
  const { object } = await generateObject({ model, prompt: "Hi", schema: jsonSchema(SCHEMA) });
  assert.deepEqual(object, { city: "text", days: 1 });
});

forEachModel("an error with its status", { errorRate: 1 }, async (model) => {
  await assert.rejects(generateText({ model, prompt: "Hi", maxRetries: 0 }), { statusCode: 500 });
});
