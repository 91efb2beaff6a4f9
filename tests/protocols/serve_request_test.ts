/** A protocol's server decodes the requests that its client encodes, with all options. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Message } from "../../lib/chat/messages.ts";
import type { SamplingOptions, Tool } from "../../lib/chat/options.ts";
import type { ChatRequest } from "../../lib/protocols/chat_request.ts";
import type { Endpoint } from "../../lib/protocols/protocol.ts";
import { service as serviceNamed, type ServiceName } from "../../lib/services/services.ts";
import {
  CHAT,
  CLAUDE,
  endpoint,
  type Format,
  FORMATS,
  GEMINI,
  receive,
  RESPONSES,
} from "../support/serve_formats.ts";

const text = fc.string({ minLength: 1, unit: "binary" });
const json = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.jsonValue(), {
  noNullPrototype: true,
}).map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>);
const name = fc.stringMatching(/^[a-z_]{1,20}$/);

const textPart = text.map((text) => ({ type: "text" as const, text }));
const imagePart = fc.constantFrom("data:image/png;base64,QUJD", "https://host/a.png")
  .map((url) => ({ type: "image_url" as const, image_url: { url } }));
const user = fc.oneof(text, fc.tuple(textPart, imagePart, textPart))
  .map((content): Message => ({ role: "user", content }));

/** An answer and the next user message, or tool calls and their results. */
function turns(format: Format): fc.Arbitrary<Message[]> {
  const isError = format === CLAUDE || format === GEMINI
    ? fc.constantFrom(undefined, true as const)
    : fc.constant(undefined);
  const call = fc.record({ id: fc.uuid(), name, args: json, result: text, isError });
  return fc.oneof(
    fc.tuple(text, user).map(([content, next]): Message[] => [
      { role: "assistant", content },
      next,
    ]),
    fc.tuple(fc.option(text), fc.array(call, { minLength: 1, maxLength: 3 }), text).map(
      ([content, calls, answer]): Message[] => [
        {
          role: "assistant",
          content,
          tool_calls: calls.map(({ id, name, args }) => ({
            id,
            type: "function",
            function: { name, arguments: JSON.stringify(args) },
          })),
        },
        ...calls.map(({ id, result, isError }): Message => ({
          role: "tool",
          tool_call_id: id,
          content: result,
          ...isError && { is_error: isError },
        })),
        { role: "assistant", content: answer },
        { role: "user", content: "And then?" },
      ],
    ),
  );
}

function conversations(format: Format): fc.Arbitrary<Message[]> {
  const system = text.map((content): Message[] => [{ role: "system", content }]);
  return fc.tuple(
    fc.oneof(system, fc.constant([])),
    user,
    fc.array(turns(format), { maxLength: 4 }),
  ).map(([system, first, rest]) => [...system, first, ...rest.flat()]);
}

const functionTool = (tool: string): Tool => ({
  type: "function",
  function: {
    name: tool,
    description: `calls ${tool}`,
    parameters: { type: "object", properties: { a: { type: "integer" } } },
  },
});
const functionChoice = (tool: string) => ({
  type: "function" as const,
  function: { name: tool },
});
const CHOICES: SamplingOptions["toolChoice"][] = [
  undefined,
  "auto",
  "none",
  "required",
  functionChoice("a"),
];
const ALLOWED: SamplingOptions["toolChoice"] = {
  type: "allowed_tools",
  allowed_tools: { mode: "required", tools: [functionChoice("a"), functionChoice("b")] },
};

/** The object without its `undefined` fields. */
function given<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

function maybe<T>(...values: T[]): fc.Arbitrary<T | undefined> {
  return fc.constantFrom<T | undefined>(undefined, ...values);
}

const temperature = maybe(0, 0.5, 1);
const topP = maybe(0.1, 1);
const topK = maybe(1, 40);
const stop = maybe(["a"], ["a", "b"]);
const schema = { type: "object", properties: {}, additionalProperties: false };
const format = {
  type: "json_schema" as const,
  json_schema: { name: "answer", schema },
};

/** The options that each format can express, in the form in which it returns them. */
const OPTIONS = new Map<Format, fc.Arbitrary<SamplingOptions>>([
  [
    CHAT,
    fc.record({
      temperature,
      topP,
      topK,
      stop: fc.oneof(stop, fc.constant("x")),
      maxTokens: maybe(1, 100),
      seed: maybe(1),
      presencePenalty: maybe(-1),
      frequencyPenalty: maybe(1),
      thinking: maybe<SamplingOptions["thinking"]>(true, false, "low", "medium", "high"),
      responseFormat: maybe<SamplingOptions["responseFormat"]>({ type: "json_object" }, format),
      parallelToolCalls: maybe(true, false),
      toolChoice: fc.constantFrom(...CHOICES, ALLOWED),
      extraBody: maybe<SamplingOptions["extraBody"]>(
        { metadata: { a: "b" }, logprobs: true, top_logprobs: 2 },
        { chat_template_kwargs: { other: 1 }, stream_options: { include_obfuscation: false } },
      ),
    }),
  ],
  [
    RESPONSES,
    fc.record({
      temperature,
      topP,
      maxTokens: maybe(1, 100),
      thinking: maybe<SamplingOptions["thinking"]>(false, "low", "medium", "high"),
      responseFormat: maybe<SamplingOptions["responseFormat"]>({ type: "json_object" }, format),
      parallelToolCalls: maybe(true, false),
      toolChoice: fc.constantFrom(...CHOICES, ALLOWED),
      extraBody: maybe<SamplingOptions["extraBody"]>(
        { metadata: { a: "b" }, include: ["message.output_text.logprobs"], top_logprobs: 2 },
        { store: true, text: { verbosity: "low" } },
      ),
    }),
  ],
  [
    CLAUDE,
    fc.record({
      temperature,
      topP,
      topK,
      stop,
      maxTokens: fc.constant(9000),
      responseFormat: maybe<SamplingOptions["responseFormat"]>(format),
      toolChoice: fc.constantFrom(...CHOICES.filter((choice) => choice !== undefined)),
      parallelToolCalls: maybe(false as const),
      extraBody: maybe<SamplingOptions["extraBody"]>({ metadata: { user_id: "u" } }),
    }).map((options) =>
      options.toolChoice === "none" ? { ...options, parallelToolCalls: undefined } : options
    ),
  ],
  [
    GEMINI,
    fc.record({
      temperature,
      topP,
      topK,
      stop,
      maxTokens: maybe(1, 100),
      seed: maybe(1),
      presencePenalty: maybe(-1),
      frequencyPenalty: maybe(1),
      thinking: maybe<SamplingOptions["thinking"]>(true, "low", "high", 2000),
      responseFormat: maybe<SamplingOptions["responseFormat"]>({ type: "json_object" }, format),
      toolChoice: fc.constantFrom(...CHOICES, ALLOWED),
      extraBody: maybe<SamplingOptions["extraBody"]>(
        {
          labels: { some_name: "b" },
          generationConfig: { responseLogprobs: true, logprobs: 2 },
        },
        { toolConfig: { retrievalConfig: { languageCode: "en" } } },
      ),
    }),
  ],
]);

function requests(format: Format, model: string): fc.Arbitrary<ChatRequest> {
  const tools = fc.constant(["a", "b"].map(functionTool));
  return fc.tuple(conversations(format), OPTIONS.get(format)!, tools, fc.boolean()).map(
    ([messages, options, tools, stream]) => ({
      model,
      messages,
      options: given({ ...options, tools }),
      // The field is only valid in streams.
      stream: stream || options.extraBody?.stream_options !== undefined,
    }),
  );
}

const MODELS = new Map<Format, string[]>([
  [CHAT, ["qwen3"]],
  [RESPONSES, ["gpt-6-sol", "m"]],
  [CLAUDE, ["claude-haiku-4-5", "m"]],
  [GEMINI, ["gemini-3-flash", "own"]],
]);

for (const format of FORMATS) {
  const encode = format.client.encoder(endpoint());
  for (const model of MODELS.get(format)!) {
    Deno.test(`${format.client.name}, ${model}: a request that the client encodes is decoded unchanged`, () =>
      fc.assert(fc.property(requests(format, model), (request) => {
        assert.deepEqual(receive(format, encode(request)).chat, request);
      })));
  }
}

/** Decodes and encodes a request again: the body must stay the same. */
function assertStable(format: Format, request: ChatRequest, fields: Partial<Endpoint> = {}): void {
  const encode = format.client.encoder(endpoint(fields));
  const first = encode(request);
  const { chat } = receive(format, first);
  const second = encode(chat);
  assert.deepEqual(JSON.parse(second.body!), JSON.parse(first.body!));
  assert.equal(second.url, first.url);
  assert.deepEqual(receive(format, second).chat, chat);
}

Deno.test("gemini: thinking is turned off, and a budget without a number is automatic", () => {
  const messages: Message[] = [{ role: "user", content: "Hi" }];
  for (const thinking of [true, false, 2000]) {
    const request = { model: "gemini-2.5-flash", messages, options: { thinking }, stream: false };
    const { chat } = receive(GEMINI, GEMINI.client.encoder(endpoint())(request));
    assert.equal(chat.options.thinking, thinking);
  }
});

Deno.test("claude: thinking survives by effort, by budget and turned off", () => {
  const messages: Message[] = [{ role: "user", content: "Hi" }];
  const cases = [
    ["claude-opus-5", true],
    ["claude-opus-5", "high"],
    ["claude-opus-5", false],
    ["claude-haiku-4-5", 2000],
  ] as const;
  for (const [model, thinking] of cases) {
    const request = { model, messages, options: { thinking }, stream: false };
    const { chat } = receive(CLAUDE, CLAUDE.client.encoder(endpoint())(request));
    assert.equal(chat.options.thinking, thinking);
    assertStable(CLAUDE, request);
  }
});

Deno.test("the option thinking survives in the dialect of each service", () => {
  const services: [service: ServiceName, model: string][] = [
    ["openai", "gpt-6-sol"],
    ["deepseek", "deepseek-v4"],
    ["zai", "glm-5.3"],
    ["moonshot", "kimi-k2.6"],
    ["qwen", "qwen3.5-plus"],
    ["openrouter", "x/y"],
    ["qianfan", "ernie-5"],
    ["vllm", "qwen3"],
    ["mistral", "magistral-medium"],
  ];
  const messages: Message[] = [{ role: "user", content: "Hi" }];
  for (const [name, model] of services) {
    const service = serviceNamed(name);
    for (const thinking of [true, false, "low", "high", 2000] as const) {
      const request = { model, messages, options: { thinking }, stream: false };
      try {
        CHAT.client.encoder(endpoint({ service }))(request);
      } catch {
        continue; // The model does not support it.
      }
      assertStable(CHAT, request, { service });
    }
  }
});

const NATIVE: [format: Format, model: string, content: unknown][] = [
  [CHAT, "m", { reasoning_content: "Hm." }],
  [RESPONSES, "gpt-6-sol", [
    { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "x" },
    { type: "function_call", id: "fc_1", call_id: "call_1", name: "f", arguments: "{}" },
  ]],
  [CLAUDE, "claude-opus-5", [
    { type: "thinking", thinking: "Hm.", signature: "x" },
    { type: "tool_use", id: "call_1", name: "f", input: {} },
  ]],
  [GEMINI, "gemini-3-flash", [
    { text: "Hm.", thought: true },
    { functionCall: { id: "call_1", name: "f", args: {} }, thoughtSignature: "x" },
  ]],
];

for (const [format, model, content] of NATIVE) {
  const { client } = format;
  Deno.test(`${client.name}: a turn keeps its provider's own content`, () => {
    const providerMessage = { format: client.name as "chat", content };
    const call = {
      id: "call_1",
      type: "function" as const,
      function: { name: "f", arguments: "{}" },
    };
    const messages: Message[] = [
      { role: "user", content: "Hi" },
      { role: "assistant", content: null, tool_calls: [call], providerMessage },
      { role: "tool", tool_call_id: "call_1", content: "done" },
    ];
    const request = { model, messages, options: { maxTokens: 9000 }, stream: false };
    assert.deepEqual(receive(format, client.encoder(endpoint())(request)).chat, request);
  });
}

Deno.test("files, audio and documents survive in the formats that have them", () => {
  const parts = {
    audio: { type: "input_audio" as const, input_audio: { data: "QUJD", format: "wav" } },
    file: {
      type: "file" as const,
      file: { file_data: "data:application/pdf;base64,QUJD", filename: "a.pdf" },
    },
    document: {
      type: "document" as const,
      source: { type: "base64" as const, media_type: "application/pdf", data: "QUJD" },
      title: "a.pdf",
    },
  };
  const cases: [Format, string, (typeof parts)[keyof typeof parts][]][] = [
    [CHAT, "m", [parts.audio, parts.file]],
    [RESPONSES, "m", [parts.file]],
    [CLAUDE, "m", [parts.document]],
    [GEMINI, "m", [parts.audio]],
  ];
  for (const [format, model, content] of cases) {
    const messages: Message[] = [{
      role: "user",
      content: [{ type: "text", text: "?" }, ...content],
    }];
    const request = { model, messages, options: { maxTokens: 10 }, stream: false };
    assert.deepEqual(receive(format, format.client.encoder(endpoint())(request)).chat, request);
  }
  const file = { type: "file" as const, file: { file_data: parts.file.file.file_data } };
  const messages: Message[] = [{ role: "user", content: [file, { type: "text", text: "?" }] }];
  assertStable(GEMINI, { model: "m", messages, options: {}, stream: false });
});

Deno.test("custom tools survive in both of OpenAI's formats", () => {
  const custom = {
    type: "custom",
    custom: {
      name: "c",
      format: { type: "grammar", grammar: { syntax: "regex", definition: "a+" } },
    },
  };
  const messages: Message[] = [
    { role: "user", content: "Hi" },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "call_1", type: "custom", function: { name: "c", arguments: "aaa" } }],
    },
    { role: "tool", tool_call_id: "call_1", content: "done" },
  ];
  for (const format of [CHAT, RESPONSES]) {
    const request = { model: "m", messages, options: { tools: [custom] }, stream: false };
    assert.deepEqual(receive(format, format.client.encoder(endpoint())(request)).chat, request);
  }
});
