/**
 * Messages, tools and options in requests of OpenAI's two APIs: everything that an API accepts is sent,
 * everything else is rejected by name.
 *
 * Wire format: OpenAI API reference, "Create chat completion" and "Create a response", and the types of
 * the `openai` package 7.57.
 */
import assert from "node:assert/strict";
import type { Message, SamplingOptions, ToolCall } from "../../../mod.ts";
import type { Json } from "../../../lib/json/json.ts";
import { openaiChat } from "../../../lib/protocols/openai_chat/openai_chat.ts";
import type { Endpoint, Protocol } from "../../../lib/protocols/protocol.ts";
import { needsResponses } from "../../../lib/protocols/openai_responses/needs_responses.ts";
import { openaiResponses } from "../../../lib/protocols/openai_responses/openai_responses.ts";
import { serviceAt } from "../../../lib/services/providers.ts";

const HELLO: Message[] = [{ role: "user", content: "hi" }];
const OPENAI = "https://api.openai.com/v1";
const OTHER = "https://host.example/v1";

function encode(
  provider: Protocol,
  messages: readonly unknown[],
  options: SamplingOptions = {},
  { model = "m", baseUrl = OTHER } = {},
) {
  const endpoint: Endpoint = {
    baseUrl,
    apiKey: "key",
    headers: {},
    ...serviceAt("auto", baseUrl),
  };
  const request = { model, messages: messages as Message[], options, stream: false };
  return JSON.parse(provider.encoder(endpoint)(request).body!);
}

const chat = (messages: readonly unknown[], options?: SamplingOptions, baseUrl?: string): Json =>
  encode(openaiChat, messages, options, { baseUrl });
const respond = (messages: readonly unknown[], options?: SamplingOptions, model?: string): Json =>
  encode(openaiResponses, messages, options, { model });

const user = (...content: unknown[]) => [{ role: "user", content }];
/** The parts of the only message. */
function parts(body: Json): unknown {
  return ((body.messages ?? body.input) as Json[])[0].content;
}

const PDF = "data:application/pdf;base64,QUJD";
const TOOLS: SamplingOptions["tools"] = [{ type: "function", function: { name: "f" } }];

Deno.test("files, audio and documents are sent in the form of each API", () => {
  const cases: [part: Json, chat: Json, responses: Json | undefined][] = [
    [
      { type: "file", file: { file_data: PDF, filename: "a.pdf" } },
      { type: "file", file: { file_data: PDF, filename: "a.pdf" } },
      { type: "input_file", file_data: PDF, filename: "a.pdf" },
    ],
    [
      { type: "file", file: { file_data: PDF } },
      { type: "file", file: { file_data: PDF, filename: "file.pdf" } },
      { type: "input_file", file_data: PDF, filename: "file.pdf" },
    ],
    [
      { type: "file", file: { file_id: "file-1" } },
      { type: "file", file: { file_id: "file-1" } },
      { type: "input_file", file_id: "file-1" },
    ],
    [
      {
        type: "document",
        source: { type: "base64", media_type: "application/pdf", data: "QUJD" },
        title: "A.pdf",
      },
      { type: "file", file: { file_data: PDF, filename: "A.pdf" } },
      { type: "input_file", file_data: PDF, filename: "A.pdf" },
    ],
    [
      { type: "document", source: { type: "text", media_type: "text/plain", data: "Some text" } },
      { type: "text", text: "Some text" },
      { type: "input_text", text: "Some text" },
    ],
    [
      { type: "document", source: { type: "url", url: "https://e.org/a.pdf" } },
      { type: "file", file: { file_data: "https://e.org/a.pdf" } },
      { type: "input_file", file_url: "https://e.org/a.pdf" },
    ],
    [
      { type: "input_audio", input_audio: { data: "data:audio/mpeg;base64,QUJD" } },
      { type: "input_audio", input_audio: { data: "QUJD", format: "mp3" } },
      undefined,
    ],
    [
      { type: "input_audio", input_audio: { data: "QUJD", format: "wav" } },
      { type: "input_audio", input_audio: { data: "QUJD", format: "wav" } },
      undefined,
    ],
    // Compatible servers accept more than OpenAI.
    [
      { type: "video_url", video_url: { url: "https://e.org/a.mp4" } },
      { type: "video_url", video_url: { url: "https://e.org/a.mp4" } },
      undefined,
    ],
  ];
  for (const [part, inChat, inResponses] of cases) {
    assert.deepEqual(parts(chat(user(part))), [inChat]);
    if (inResponses !== undefined) assert.deepEqual(parts(respond(user(part))), [inResponses]);
    else {
      assert.throws(() => respond(user(part)), {
        code: "invalid_input",
        message: new RegExp(String(part.type)),
      });
    }
  }
});

Deno.test("document fields that a file cannot express are rejected by name", () => {
  const source = { type: "base64", media_type: "application/pdf", data: "QUJD" };
  const wrong: [part: Json, named: RegExp][] = [
    [{ type: "document", source, context: "about it" }, /context/],
    [{ type: "document", source, citations: { enabled: true } }, /citations/],
    [{ type: "document", source: { type: "content", content: [] } }, /"content"/],
  ];
  for (const [part, named] of wrong) {
    for (const encode of [chat, respond]) {
      assert.throws(() => encode(user(part)), { code: "invalid_input", message: named });
    }
  }
});

Deno.test("prompt cache breakpoints are sent, except to OpenAI, which rejects them", () => {
  const cache_control = { type: "ephemeral" };
  const message = user({ type: "text", text: "x", cache_control });
  assert.deepEqual(parts(chat(message)), [{ type: "text", text: "x", cache_control }]);
  const refused = { code: "invalid_input", message: /cache_control/ };
  const tool = [{ ...TOOLS![0], cache_control }] as SamplingOptions["tools"];
  assert.deepEqual(chat(HELLO, { tools: tool }).tools, tool);
  for (
    const run of [
      () => chat(message, {}, OPENAI),
      () => respond(message),
      () => chat(HELLO, { tools: tool }, OPENAI),
      () => respond(HELLO, { tools: tool }),
    ]
  ) assert.throws(run, refused);
});

Deno.test("is_error is rejected by name, since neither API can express it", () => {
  const message = { role: "tool", tool_call_id: "a", content: "no", is_error: true };
  for (const encode of [chat, respond]) {
    assert.throws(() => encode([message]), { code: "invalid_input", message: /is_error/ });
    assert.ok(!JSON.stringify(encode([{ ...message, is_error: false }])).includes("is_error"));
  }
  assert.throws(() => respond([{ role: "user", content: "hi", name: "Ann" }]), { message: /name/ });
  assert.deepEqual(chat([{ role: "user", content: "hi", name: "Ann" }]).messages, [
    { role: "user", content: "hi", name: "Ann" },
  ]);
});

Deno.test("images and files in tool results are sent to Responses", () => {
  const image = { type: "image_url", image_url: { url: "https://e.org/a.png" } };
  const file = { type: "file", file: { file_data: PDF, filename: "a.pdf" } };
  const message = { role: "tool", tool_call_id: "a", content: [image, file] };
  assert.deepEqual(respond([message]).input, [{
    type: "function_call_output",
    call_id: "a",
    output: [
      { type: "input_image", image_url: "https://e.org/a.png", detail: "auto" },
      { type: "input_file", file_data: PDF, filename: "a.pdf" },
    ],
  }]);
});

Deno.test("custom tools, their calls and results have the form of each API", () => {
  const call: ToolCall = {
    id: "a",
    type: "custom",
    function: { name: "sql", arguments: "SELECT" },
  };
  const messages = [
    ...HELLO,
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: "a", content: "1" },
  ];
  const format = { type: "grammar", grammar: { syntax: "lark", definition: "start: X" } };
  const tools = [{ type: "custom", custom: { name: "sql", format } }];
  const inChat = chat(messages, { tools });
  assert.deepEqual((inChat.messages as Json[])[1].tool_calls, [
    { id: "a", type: "custom", custom: { name: "sql", input: "SELECT" } },
  ]);
  assert.deepEqual(inChat.tools, tools);
  const inResponses = respond(messages, { tools });
  assert.deepEqual((inResponses.input as Json[]).slice(1), [
    { type: "custom_tool_call", call_id: "a", name: "sql", input: "SELECT" },
    { type: "custom_tool_call_output", call_id: "a", output: "1" },
  ]);
  assert.deepEqual(inResponses.tools, [
    {
      type: "custom",
      name: "sql",
      format: { type: "grammar", syntax: "lark", definition: "start: X" },
    },
  ]);
});

Deno.test("tools that the provider runs are sent along with functions", () => {
  const search = { type: "web_search", search_context_size: "low" };
  const tools = [...TOOLS!, search];
  assert.deepEqual((chat(HELLO, { tools }).tools as Json[])[1], search);
  assert.deepEqual((respond(HELLO, { tools }).tools as Json[])[1], search);
  // OpenAI's Chat Completions supports none of them.
  const request = { model: "gpt-4o", messages: HELLO, stream: false };
  assert.equal(needsResponses({ ...request, options: { tools } }), true);
  assert.equal(needsResponses({ ...request, options: { tools: TOOLS } }), false);
  // A function in the flat form of Responses.
  const flat = { type: "function", name: "f", parameters: {} };
  assert.deepEqual(chat(HELLO, { tools: [flat] }).tools, [
    { type: "function", function: { name: "f", parameters: {} } },
  ]);
});

Deno.test("a choice of tools is flat in Responses", () => {
  const allowed: SamplingOptions["toolChoice"] = {
    type: "allowed_tools",
    allowed_tools: { mode: "auto", tools: [{ type: "function", function: { name: "f" } }] },
  };
  assert.deepEqual(respond(HELLO, { tools: TOOLS, toolChoice: allowed }).tool_choice, {
    type: "allowed_tools",
    mode: "auto",
    tools: [{ type: "function", name: "f" }],
  });
  assert.deepEqual(chat(HELLO, { tools: TOOLS, toolChoice: allowed }).tool_choice, allowed);
});

Deno.test("empty lists are omitted, and calls without arguments have {}", () => {
  const call = { id: "a", type: "function", function: { name: "f", arguments: "" } };
  const body = chat([...HELLO, { role: "assistant", content: "x", tool_calls: [] }], {
    tools: [],
    stop: [],
  });
  assert.deepEqual(body, {
    model: "m",
    messages: [...HELLO, { role: "assistant", content: "x" }],
  });
  const { tools, stop } = respond(HELLO, { tools: [], stop: [] });
  assert.deepEqual([tools, stop], [undefined, undefined]);
  const messages = [...HELLO, { role: "assistant", content: null, tool_calls: [call] }];
  const inChat = (chat(messages).messages as Json[])[1].tool_calls as ToolCall[];
  assert.equal(inChat[0].function.arguments, "{}");
  assert.equal((respond(messages).input as Json[])[1].arguments, "{}");
});

Deno.test("tool options without tools and several choices are rejected", () => {
  const code = "configuration";
  for (const encode of [chat, respond]) {
    for (const options of [{ toolChoice: "auto" as const }, { parallelToolCalls: false }]) {
      assert.throws(() => encode(HELLO, options), { code, message: /there are no tools/ });
      const extraBody = { tools: [{ type: "web_search" }] };
      assert.ok(encode(HELLO, { ...options, extraBody }).tools);
    }
  }
  assert.throws(() => chat(HELLO, { extraBody: { n: 2 } }), { code, message: /option n/ });
  assert.equal(chat(HELLO, { extraBody: { n: 1 } }).n, 1);
});

Deno.test("service-specific fields of a call are sent back", () => {
  const call = {
    id: "a",
    type: "function",
    function: { name: "f", arguments: "{}" },
    extra_content: { google: { thought_signature: "opaque" } },
  };
  const answer = openaiChat.decode({ choices: [{ message: { tool_calls: [call] } }] });
  const assistant = {
    role: "assistant",
    content: null,
    tool_calls: answer.toolCalls,
    providerMessage: answer.providerMessage,
  };
  assert.deepEqual((chat([...HELLO, assistant]).messages as Json[])[1].tool_calls, [call]);
  // Records written by other tools.
  const recorded = { role: "assistant", content: null, tool_calls: [call] };
  assert.deepEqual((chat([...HELLO, recorded]).messages as Json[])[1].tool_calls, [call]);
});

Deno.test("encrypted reasoning is requested from models that have it", () => {
  const cases: [model: string, options: SamplingOptions, expected: string[] | undefined][] = [
    ["gpt-4o", {}, undefined],
    ["gpt-4o-mini", {}, undefined],
    ["gpt-5-chat-latest", {}, undefined],
    ["gpt-5", {}, ["reasoning.encrypted_content"]],
    ["o3", {}, ["reasoning.encrypted_content"]],
    ["gpt-6-sol", {}, ["reasoning.encrypted_content"]],
    ["grok-4", {}, ["reasoning.encrypted_content"]],
    ["my-deployment", {}, undefined],
    ["my-deployment", { thinking: "low" }, ["reasoning.encrypted_content"]],
  ];
  for (const [model, options, expected] of cases) {
    assert.deepEqual(respond(HELLO, options, model).include, expected, model);
  }
  // The server rejects reasoning that it neither stored nor can decrypt.
  const items = [
    { type: "reasoning", id: "rs_1", summary: [] },
    { type: "reasoning", id: "rs_2", summary: [], encrypted_content: "x" },
    { type: "function_call", call_id: "a", name: "f", arguments: "{}" },
  ];
  const providerMessage = { format: "responses", content: items };
  const turn = [...HELLO, { role: "assistant", content: "", providerMessage }];
  assert.deepEqual((respond(turn).input as Json[]).slice(1), items.slice(1));
  const stored = respond(turn, { extraBody: { store: true } });
  assert.deepEqual((stored.input as Json[]).slice(1), items);
});

Deno.test("refusals of earlier turns are sent", () => {
  const refusal = "I can't.";
  const messages = [...HELLO, { role: "assistant", content: null, refusal }];
  assert.deepEqual(chat(messages).messages, messages);
  assert.deepEqual((respond(messages).input as Json[])[1], { role: "assistant", content: refusal });
});
