/** The mock, asked by the official packages of Anthropic, Google and OpenAI as they come. */
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { FunctionCallingConfigMode, GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import { type MockOptions, startMockServer } from "../mod.ts";

const SCHEMA = {
  type: "object" as const,
  properties: { city: { type: "string" }, days: { type: "integer" } },
  required: ["city"],
};
const FITTING = { city: "text", days: 1 };
const HELLO = [{ role: "user" as const, content: "Hello there" }];

async function anthropic(options: MockOptions, use: (sdk: Anthropic) => Promise<void>) {
  await using server = startMockServer(options);
  const baseURL = server.baseUrl.replace("/v1", "");
  await use(new Anthropic({ baseURL, apiKey: "none", maxRetries: 0 }));
}

async function google(options: MockOptions, use: (sdk: GoogleGenAI) => Promise<void>) {
  await using server = startMockServer(options);
  const baseUrl = server.baseUrl.replace("/v1", "");
  await use(new GoogleGenAI({ apiKey: "none", httpOptions: { baseUrl } }));
}

async function openai(options: MockOptions, use: (sdk: OpenAI) => Promise<void>) {
  await using server = startMockServer(options);
  await use(new OpenAI({ baseURL: server.baseUrl, apiKey: "none", maxRetries: 0 }));
}

const MESSAGE = { model: "claude-opus-5", max_tokens: 1000, messages: HELLO };

Deno.test("@anthropic-ai/sdk: plain and streamed, with thinking and usage", () =>
  anthropic({}, async (sdk) => {
    const request = { ...MESSAGE, thinking: { type: "adaptive" as const } };
    const plain = await sdk.messages.create(request);
    assert.deepEqual(plain.content.map(({ type }) => type), ["thinking", "text"]);
    assert.equal(plain.stop_reason, "end_turn");
    const streamed = await sdk.messages.stream(request).finalMessage();
    assert.deepEqual(streamed.content, plain.content);
    assert.equal(streamed.usage.output_tokens, plain.usage.output_tokens);
  }));

Deno.test("@anthropic-ai/sdk: a tool call, plain and streamed", () =>
  anthropic({}, async (sdk) => {
    const tools = [{ name: "get_weather", input_schema: SCHEMA }];
    const request = { ...MESSAGE, tools, tool_choice: { type: "any" as const } };
    for (
      const message of [
        await sdk.messages.create(request),
        await sdk.messages.stream(request).finalMessage(),
      ]
    ) {
      const [block] = message.content;
      assert.ok(block.type === "tool_use");
      assert.deepEqual([block.name, block.input], ["get_weather", FITTING]);
      assert.equal(message.stop_reason, "tool_use");
    }
  }));

Deno.test("@anthropic-ai/sdk: structured output, models and errors", async () => {
  await anthropic({ models: ["claude-a", "claude-b"] }, async (sdk) => {
    const format = { type: "json_schema" as const, schema: SCHEMA };
    const message = await sdk.messages.create({ ...MESSAGE, output_config: { format } });
    const [block] = message.content;
    assert.deepEqual(block.type === "text" && JSON.parse(block.text), FITTING);
    const ids: string[] = [];
    for await (const { id } of sdk.models.list()) ids.push(id);
    assert.deepEqual(ids, ["claude-a", "claude-b"]);
  });
  await anthropic({ errorRate: 1 }, async (sdk) => {
    await assert.rejects(sdk.messages.create(MESSAGE), { status: 500, type: "api_error" });
  });
});

Deno.test("@google/genai: plain and streamed, with thoughts and usage", () =>
  google({}, async (sdk) => {
    const config = { thinkingConfig: { includeThoughts: true } };
    const request = { model: "gemini-3-flash", contents: "Hello there", config };
    const plain = await sdk.models.generateContent(request);
    assert.match(plain.text!, /^You asked: "Hello there"/);
    let [text, thoughts, finish, total] = ["", "", "", 0];
    for await (const chunk of await sdk.models.generateContentStream(request)) {
      for (const part of chunk.candidates?.[0].content?.parts ?? []) {
        if (part.thought) thoughts += part.text;
        else text += part.text ?? "";
      }
      finish = chunk.candidates?.[0].finishReason ?? finish;
      total = chunk.usageMetadata?.totalTokenCount ?? total;
    }
    assert.equal(text, plain.text);
    assert.match(thoughts, /^The user asks/);
    assert.deepEqual([finish, total], ["STOP", plain.usageMetadata?.totalTokenCount]);
  }));

Deno.test("@google/genai: a tool call and structured output", () =>
  google({}, async (sdk) => {
    const functionDeclarations = [{ name: "get_weather", parametersJsonSchema: SCHEMA }];
    const called = await sdk.models.generateContent({
      model: "gemini-3-flash",
      contents: "Hello there",
      config: {
        tools: [{ functionDeclarations }],
        toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } },
      },
    });
    assert.deepEqual(called.functionCalls?.map(({ name, args }) => [name, args]), [
      ["get_weather", FITTING],
    ]);
    const structured = await sdk.models.generateContent({
      model: "gemini-3-flash",
      contents: "Hello there",
      config: { responseMimeType: "application/json", responseJsonSchema: SCHEMA },
    });
    assert.deepEqual(JSON.parse(structured.text!), FITTING);
  }));

Deno.test("@google/genai: models and errors", async () => {
  await google({ models: ["gemini-a"] }, async (sdk) => {
    const names: (string | undefined)[] = [];
    for await (const { name } of await sdk.models.list()) names.push(name);
    assert.deepEqual(names, ["models/gemini-a"]);
  });
  await google({ errorRate: 1 }, async (sdk) => {
    const ask = sdk.models.generateContent({ model: "gemini-3-flash", contents: "Hi" });
    await assert.rejects(ask, { status: 500 });
  });
});

Deno.test("openai, Responses: plain and streamed, with reasoning and usage", () =>
  openai({}, async (sdk) => {
    const request = {
      model: "gpt-6-sol",
      input: "Hello there",
      reasoning: { effort: "low" as const },
    };
    const plain = await sdk.responses.create(request);
    assert.match(plain.output_text, /^You asked: "Hello there"/);
    assert.deepEqual(plain.output.map(({ type }) => type), ["reasoning", "message"]);
    const streamed = await sdk.responses.stream(request).finalResponse();
    assert.equal(streamed.output_text, plain.output_text);
    assert.equal(streamed.usage?.total_tokens, plain.usage?.total_tokens);
  }));

Deno.test("openai, Responses: a tool call and structured output", () =>
  openai({}, async (sdk) => {
    const tools = [{
      type: "function" as const,
      name: "get_weather",
      parameters: SCHEMA,
      strict: false,
    }];
    const request = { model: "gpt-6-sol", input: "Hi", tools, tool_choice: "required" as const };
    for (
      const response of [
        await sdk.responses.create(request),
        await sdk.responses.stream(request).finalResponse(),
      ]
    ) {
      const [item] = response.output;
      assert.ok(item.type === "function_call");
      assert.deepEqual([item.name, JSON.parse(item.arguments)], ["get_weather", FITTING]);
    }
    const format = { type: "json_schema" as const, name: "weather", schema: SCHEMA };
    const structured = await sdk.responses.create({
      model: "gpt-6-sol",
      input: "Hi",
      text: { format },
    });
    assert.deepEqual(JSON.parse(structured.output_text), FITTING);
  }));
