/** The `ai` package and its unmodified providers talk to every provider through the gateway. */
import assert from "node:assert/strict";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import {
  generateObject,
  generateText,
  jsonSchema,
  type LanguageModel,
  stepCountIs,
  streamText,
  tool,
} from "ai";
import {
  PIXEL,
  PROVIDER_NAMES,
  type ProviderName,
  startClientGateway,
  WEATHER,
  WEATHER_SCHEMA,
} from "../../support/client_gateway.ts";

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

const apiKey = "none";

const CLIENTS: Record<string, (origin: string, model: ProviderName) => LanguageModel> = {
  "openai chat": (origin, model) => createOpenAI({ baseURL: `${origin}/v1`, apiKey }).chat(model),
  "openai responses": (origin, model) =>
    createOpenAI({ baseURL: `${origin}/v1`, apiKey }).responses(model),
  "openai-compatible": (origin, model) =>
    createOpenAICompatible({
      name: "flexllm",
      baseURL: `${origin}/v1`,
      includeUsage: true,
      supportsStructuredOutputs: true,
    })(model),
  anthropic: (origin, model) => createAnthropic({ baseURL: `${origin}/v1`, apiKey })(model),
  google: (origin, model) =>
    createGoogleGenerativeAI({ baseURL: `${origin}/v1beta`, apiKey })(model),
};

for (const [client, modelOf] of Object.entries(CLIENTS)) {
  for (const name of PROVIDER_NAMES) {
    Deno.test(`ai, ${client} client, ${name}: text, images, tools, structured output`, async () => {
      await using gateway = await startClientGateway({ length: 100 });
      const model = modelOf(gateway.origin, name);
      const messages = [{
        role: "user" as const,
        content: [
          { type: "text" as const, text: "What is this?" },
          { type: "file" as const, data: PIXEL, mediaType: "image/png" },
        ],
      }];
      const plain = await generateText({ model, messages });
      assert.match(plain.text, /What is this/);
      assert.equal(plain.finishReason, "stop");
      const streamed = streamText({ model, messages });
      let text = "";
      for await (const piece of streamed.textStream) text += piece;
      assert.equal(text, plain.text);
      assert.equal((await streamed.usage).outputTokens, plain.usage.outputTokens);

      const getWeather = tool({
        description: "Weather",
        inputSchema: jsonSchema<typeof WEATHER>(WEATHER_SCHEMA),
        execute: ({ city }) => `Sunny in ${city}.`,
      });
      const { steps } = await generateText({
        model,
        messages,
        tools: { get_weather: getWeather },
        stopWhen: stepCountIs(2),
        prepareStep: ({ stepNumber }) => ({ toolChoice: stepNumber === 0 ? "required" : "auto" }),
      });
      assert.deepEqual(steps.map(({ finishReason }) => finishReason), ["tool-calls", "stop"]);
      assert.deepEqual(steps[0].toolCalls.map(({ input }) => input), [WEATHER]);
      const { object } = await generateObject({
        model,
        prompt: "Hi",
        schema: jsonSchema(WEATHER_SCHEMA),
      });
      assert.deepEqual(object, WEATHER);
      assert.ok(gateway.upstream.every(({ status }) => status === 200));
      assert.match(JSON.stringify(gateway.upstream[3].body), /Sunny in text\./);
    });
  }

  Deno.test(`ai, ${client} client: an unknown model`, async () => {
    await using gateway = await startClientGateway();
    const model = modelOf(gateway.origin, "nope" as ProviderName);
    await assert.rejects(generateText({ model, prompt: "Hi", maxRetries: 0 }), {
      statusCode: 404,
      message: /nope/,
    });
  });
}
