/** The unmodified packages of Anthropic, Google and OpenAI work with the mock. */
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { FunctionCallingConfigMode, GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import { type MockOptions, startMockServer } from "../../mod.ts";

const SCHEMA = {
  type: "object" as const,
  properties: { city: { type: "string" }, days: { type: "integer" } },
  required: ["city"],
};
const FITTING = { city: "text", days: 1 };
const HELLO = [{ role: "user" as const, content: "Hello there" }];

async function anthropic(options: MockOptions, use: (sdk: Anthropic) => Promise<void>) {
  await using server = await startMockServer(options);
  const baseURL = server.baseUrl.replace("/v1", "");
  await use(new Anthropic({ baseURL, apiKey: "none", maxRetries: 0 }));
}

async function google(options: MockOptions, use: (sdk: GoogleGenAI) => Promise<void>) {
  await using server = await startMockServer(options);
  const baseUrl = server.baseUrl.replace("/v1", "");
  await use(new GoogleGenAI({ apiKey: "none", httpOptions: { baseUrl } }));
}

async function openai(options: MockOptions, use: (sdk: OpenAI) => Promise<void>) {
  await using server = await startMockServer(options);
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

Deno.test("openai: newest features of chat completions", () =>
  openai({}, async (sdk) => {
    const base = { model: "gpt-6-sol", messages: HELLO };
    const named = { type: "custom" as const, custom: { name: "code" } };
    const { choices: [called] } = await sdk.chat.completions.create({
      ...base,
      reasoning_effort: "xhigh",
      verbosity: "low",
      tools: [named, { type: "function", function: { name: "f", parameters: SCHEMA } }],
      tool_choice: named,
    });
    const [call] = called.message.tool_calls!;
    assert.ok(call.type === "custom" && call.custom.input !== "");

    const allowed = await sdk.chat.completions.create({
      ...base,
      tools: [named, { type: "function", function: { name: "f", parameters: SCHEMA } }],
      tool_choice: {
        type: "allowed_tools",
        allowed_tools: {
          mode: "required",
          tools: [{ type: "function", function: { name: "f" } }],
        },
      },
    });
    const [fn] = allowed.choices[0].message.tool_calls!;
    assert.ok(fn.type === "function" && fn.function.name === "f");

    const many = await sdk.chat.completions.create({
      ...base,
      n: 2,
      logprobs: true,
      top_logprobs: 1,
      stop: ["."],
    });
    assert.equal(many.choices.length, 2);
    assert.ok(many.choices.every(({ logprobs, message }) =>
      logprobs!.content!.map(({ token }) => token).join("") === message.content &&
      !message.content!.includes(".")
    ));
    const retrieved = await sdk.models.retrieve("mock");
    assert.equal(retrieved.id, "mock");
    await assert.rejects(sdk.models.retrieve("nope"), { status: 404, code: "model_not_found" });
    await assert.rejects(sdk.chat.completions.create({ ...base, temperature: 3 }), {
      status: 400,
      code: "decimal_above_max_value",
      param: "temperature",
    });
  }));

Deno.test("openai: a refusal and files, in chat and in Responses", () =>
  openai({ responses: [{ refusal: "I will not." }] }, async (sdk) => {
    const file_data = "data:application/pdf;base64,JVBERi0=";
    const request = {
      model: "gpt-6-sol",
      messages: [{
        role: "user" as const,
        content: [{ type: "file" as const, file: { file_data, filename: "a.pdf" } }],
      }],
    };
    const completion = await sdk.chat.completions.stream(request).finalChatCompletion();
    assert.equal(completion.choices[0].message.refusal, "I will not.");
    const input = [{
      role: "user" as const,
      content: [{ type: "input_file" as const, file_data, filename: "a.pdf" }],
    }];
    const stream = sdk.responses.stream({ model: "gpt-6-sol", input });
    const [item] = (await stream.finalResponse()).output;
    assert.ok(item.type === "message" && item.content[0].type === "refusal");
    assert.equal(item.content[0].refusal, "I will not.");
    const { input_tokens } = await sdk.responses.inputTokens.count({ model: "gpt-6-sol", input });
    assert.ok(input_tokens > 0);
  }));

Deno.test("openai: citations and log probabilities of a response", () =>
  openai(
    { responses: [{ text: "Oslo.", citations: [{ url: "https://host", title: "T", end: 4 }] }] },
    async (sdk) => {
      const stream = sdk.responses.stream({
        model: "gpt-6-sol",
        input: "Hi",
        tools: [{ type: "web_search" }],
        include: ["message.output_text.logprobs"],
        temperature: 0.2,
      });
      const { output: [item], temperature, tools } = await stream.finalResponse();
      assert.ok(item.type === "message" && item.content[0].type === "output_text");
      const { annotations: [citation], logprobs } = item.content[0];
      assert.ok(citation.type === "url_citation");
      assert.deepEqual([citation.url, citation.end_index], ["https://host", 4]);
      assert.equal(logprobs!.map(({ token }) => token).join(""), "Oslo.");
      assert.deepEqual([temperature, tools.length], [0.2, 1]);
    },
  ));

Deno.test("@anthropic-ai/sdk: newest features", async () => {
  const citations = [{ url: "https://host", title: "T", text: "Passage" }];
  await anthropic({ responses: [{ text: "Oslo.", citations }] }, async (sdk) => {
    const request = {
      ...MESSAGE,
      messages: [{
        role: "user" as const,
        content: [{
          type: "document" as const,
          source: {
            type: "base64" as const,
            media_type: "application/pdf" as const,
            data: "JVBERi0=",
          },
          citations: { enabled: true },
        }],
      }],
      output_config: { effort: "max" as const },
      thinking: { type: "adaptive" as const, display: "omitted" as const },
      tools: [
        { name: "f", input_schema: SCHEMA },
        { type: "web_search_20260318" as const, name: "web_search" as const },
        { type: "computer_toolset_20260801" as const },
      ],
    };
    const plain = await sdk.messages.create(request);
    const streamed = await sdk.messages.stream(request).finalMessage();
    assert.deepEqual(streamed.content, plain.content);
    const [thinking, text] = plain.content;
    assert.ok(thinking.type === "thinking" && thinking.thinking === "" && thinking.signature);
    assert.ok(text.type === "text");
    assert.deepEqual(text.citations?.map(({ cited_text }) => cited_text), ["Passage"]);
    const { model, messages, tools } = request;
    const { input_tokens } = await sdk.messages.countTokens({ model, messages, tools });
    assert.equal(input_tokens, plain.usage.input_tokens);
    const { capabilities } = await sdk.models.retrieve("mock");
    assert.ok(capabilities?.effort.xhigh?.supported);
    await assert.rejects(sdk.messages.create({ ...MESSAGE, max_tokens: -1 }), {
      status: 400,
      type: "invalid_request_error",
    });
  });
  await anthropic({ responses: [{ refusal: "I will not." }] }, async (sdk) => {
    const { stop_reason, stop_details } = await sdk.messages.stream(MESSAGE).finalMessage();
    assert.deepEqual([stop_reason, stop_details?.explanation], ["refusal", "I will not."]);
  });
});

Deno.test("@google/genai: newest features", () =>
  google({ responses: [{ text: "Oslo.", citations: [{ url: "https://host" }] }] }, async (sdk) => {
    const model = "gemini-3-flash";
    const contents = [
      { inlineData: { mimeType: "application/pdf", data: "JVBERi0=" } },
      { text: "Read." },
    ];
    const { candidates } = await sdk.models.generateContent({
      model,
      contents,
      config: {
        tools: [{ googleSearch: {} }, { functionDeclarations: [{ name: "f" }] }],
        candidateCount: 2,
        responseLogprobs: true,
        logprobs: 1,
      },
    });
    const [{ groundingMetadata, logprobsResult }] = candidates!;
    assert.equal(candidates!.length, 2);
    assert.equal(groundingMetadata?.groundingChunks?.[0].web?.uri, "https://host");
    assert.equal(logprobsResult?.chosenCandidates?.map(({ token }) => token).join(""), "Oslo.");
    const { totalTokens } = await sdk.models.countTokens({ model, contents });
    assert.ok(totalTokens! > 0);
    assert.equal((await sdk.models.get({ model: "mock" })).name, "models/mock");
    const wrong = { model, contents, config: { temperature: 3 } };
    await assert.rejects(sdk.models.generateContent(wrong), { status: 400 });
  }));
