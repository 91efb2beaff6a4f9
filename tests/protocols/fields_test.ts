/**
 * Every field of a message, a tool or the options is sent in each wire format, or rejected by name. A field
 * in neither list below would be lost silently.
 */
import assert from "node:assert/strict";
import type { Message } from "../../lib/chat/messages.ts";
import type { SamplingOptions } from "../../lib/chat/options.ts";
import { connect } from "../../lib/services/connect.ts";
import type { ProviderName } from "../../lib/services/providers.ts";
import { FlexLLMError } from "../../lib/errors.ts";
import { openaiChat } from "../../lib/protocols/openai_chat/openai_chat.ts";
import { anthropic } from "../../lib/protocols/anthropic/anthropic.ts";
import { gemini } from "../../lib/protocols/gemini/gemini.ts";
import type { Protocol } from "../../lib/protocols/protocol.ts";
import { openaiResponses } from "../../lib/protocols/openai_responses/openai_responses.ts";

/** Conversations, each with text that the body must contain (alternatives are separated by `|`). */
const PDF = "data:application/pdf;base64,JVBERi0xLjQK";
const PNG = "data:image/png;base64,iVBORw0KGgo=";
const call = (extra: object = {}) => ({
  role: "assistant",
  content: null,
  tool_calls: [{ id: "call_1", type: "function", function: { name: "f", arguments: "{}" } }],
  ...extra,
});
const user = (part: object) => [{ role: "user", content: [{ type: "text", text: "hi" }, part] }];
const CASES: Record<string, [messages: unknown[], sign: string, options?: SamplingOptions]> = {
  "text.cache_control": [[{
    role: "user",
    content: [{ type: "text", text: "hi", cache_control: { type: "ephemeral", ttl: "1h" } }],
  }], "ephemeral"],
  "system.cache_control": [[{
    role: "system",
    content: [{ type: "text", text: "be", cache_control: { type: "ephemeral", ttl: "1h" } }],
  }, { role: "user", content: "x" }], "ephemeral"],
  "image.detail": [user({ type: "image_url", image_url: { url: PNG, detail: "low" } }), '"low"'],
  "image.cache_control": [
    user({ type: "image_url", image_url: { url: PNG }, cache_control: { type: "ephemeral" } }),
    "ephemeral",
  ],
  "file.filename": [
    user({ type: "file", file: { file_data: PDF, filename: "sentinel.pdf" } }),
    "sentinel.pdf",
  ],
  "file.file_id": [user({ type: "file", file: { file_id: "file-sentinel" } }), "file-sentinel"],
  "file.cache_control": [
    user({ type: "file", file: { file_data: PDF }, cache_control: { type: "ephemeral" } }),
    "ephemeral",
  ],
  "audio": [
    user({ type: "input_audio", input_audio: { data: "c2VudGluZWw=", format: "wav" } }),
    "c2VudGluZWw=",
  ],
  "document.title": [
    user({
      type: "document",
      source: { type: "base64", media_type: "application/pdf", data: "JVBERi0xLjQK" },
      title: "sentinel",
    }),
    "sentinel",
  ],
  "document.context": [
    user({
      type: "document",
      source: { type: "base64", media_type: "application/pdf", data: "JVBERi0xLjQK" },
      context: "sentinel",
    }),
    "sentinel",
  ],
  "document.citations": [
    user({
      type: "document",
      source: { type: "base64", media_type: "application/pdf", data: "JVBERi0xLjQK" },
      citations: { enabled: true },
    }),
    '"enabled":true',
  ],
  "unknown part": [user({ type: "video_url", video_url: { url: "sentinel" } }), "sentinel"],
  "user.name": [[{ role: "user", content: "x", name: "sentinel" }], "sentinel"],
  "assistant.name": [[{ role: "user", content: "x" }, {
    role: "assistant",
    content: "y",
    name: "sentinel",
  }, { role: "user", content: "x" }], "sentinel"],
  "assistant.refusal": [[{ role: "user", content: "x" }, {
    role: "assistant",
    content: null,
    refusal: "sentinel",
  }, { role: "user", content: "z" }], "sentinel"],
  "tool.is_error": [[{ role: "user", content: "x" }, call(), {
    role: "tool",
    tool_call_id: "call_1",
    content: "r",
    is_error: true,
  }], "error"],
  "tool.cache_control": [[{ role: "user", content: "x" }, call(), {
    role: "tool",
    tool_call_id: "call_1",
    content: "r",
    cache_control: { type: "ephemeral" },
  }], "ephemeral"],
  "tool.image": [[{ role: "user", content: "x" }, call(), {
    role: "tool",
    tool_call_id: "call_1",
    content: [{ type: "image_url", image_url: { url: PNG } }],
  }], "iVBORw0KGgo="],
  "tool.file": [[{ role: "user", content: "x" }, call(), {
    role: "tool",
    tool_call_id: "call_1",
    content: [{ type: "file", file: { file_data: PDF } }],
  }], "JVBERi0xLjQK"],
  "user.unknown field": [[{ role: "user", content: "x", sentinel: 1 }], "sentinel"],
  "part.unknown field": [user({ type: "text", text: "x", sentinel: 1 }), "sentinel"],
  "tool.description": [[{ role: "user", content: "x" }], "sentinel", {
    tools: [{ type: "function", function: { name: "f", description: "sentinel" } }],
  }],
  "tool.strict": [[{ role: "user", content: "x" }], '"strict":true|VALIDATED', {
    tools: [{
      type: "function",
      function: { name: "f", strict: true, parameters: { type: "object", properties: {} } },
    }],
  }],
  "tool def cache_control": [[{ role: "user", content: "x" }], "ephemeral", {
    tools: [{ type: "function", function: { name: "f" }, cache_control: { type: "ephemeral" } }],
  }],
  "format.name": [[{ role: "user", content: "x" }], "sentinel", {
    responseFormat: {
      type: "json_schema",
      json_schema: { name: "sentinel", schema: { type: "object" } },
    },
  }],
  "format.description": [[{ role: "user", content: "x" }], "sentinel", {
    responseFormat: {
      type: "json_schema",
      json_schema: { name: "n", description: "sentinel", schema: { type: "object" } },
    },
  }],
  "format.strict": [[{ role: "user", content: "x" }], "strict", {
    responseFormat: {
      type: "json_schema",
      json_schema: { name: "n", strict: true, schema: { type: "object" } },
    },
  }],
  "temperature": [[{ role: "user", content: "x" }], "0.123", { temperature: 0.123 }],
  "topP": [[{ role: "user", content: "x" }], "0.123", { topP: 0.123 }],
  "topK": [[{ role: "user", content: "x" }], "12345", { topK: 12345 }],
  "seed": [[{ role: "user", content: "x" }], "12345", { seed: 12345 }],
  "stop": [[{ role: "user", content: "x" }], "sentinel", { stop: "sentinel" }],
  "presencePenalty": [[{ role: "user", content: "x" }], "0.123", { presencePenalty: 0.123 }],
  "frequencyPenalty": [[{ role: "user", content: "x" }], "0.123", { frequencyPenalty: 0.123 }],
  "parallelToolCalls": [[{ role: "user", content: "x" }], "arallel", {
    parallelToolCalls: false,
    tools: [{ type: "function", function: { name: "f" } }],
  }],
  "thinking xhigh": [[{ role: "user", content: "x" }], "xhigh|reasoning_effort|thinking", {
    thinking: "xhigh",
  }],
};

const FORMATS: [
  name: string,
  provider: Protocol,
  service: ProviderName,
  url: string,
  model: string,
][] = [
  ["openai", openaiChat, "openai", "https://api.openai.com/v1", "gpt-5.6-sol"],
  ["compatible", openaiChat, "auto", "https://host.example/v1", "m"],
  ["responses", openaiResponses, "openai", "https://api.openai.com/v1", "gpt-5.6-sol"],
  ["claude", anthropic, "claude", "https://api.anthropic.com/v1", "claude-sonnet-4-6"],
  [
    "gemini",
    gemini,
    "gemini",
    "https://generativelanguage.googleapis.com/v1beta",
    "gemini-3-pro-preview",
  ],
];

/** Fields that an API lacks and that don't change the answer: hints and names. */
const NO_PLACE: Record<string, readonly string[]> = {
  gemini: [
    "image.detail",
    "file.filename",
    "document.title",
    "document.citations",
    "user.name",
    "assistant.name",
    "user.unknown field",
    "part.unknown field",
    "format.name",
    "format.description",
    "format.strict",
  ],
  claude: [
    "image.detail",
    "user.name",
    "assistant.name",
    "user.unknown field",
    "part.unknown field",
    "format.name",
    "format.description",
    // Its structured outputs are always strict.
    "format.strict",
  ],
  responses: ["user.unknown field", "part.unknown field"],
};

for (const [format, provider, service, baseUrl, model] of FORMATS) {
  Deno.test(`${format}: every field is sent or rejected by name`, () => {
    const { endpoint } = connect({ baseUrl, apiKey: "k", provider: service });
    const encode = provider.encoder(endpoint);
    const dropped: string[] = [];
    for (const [name, [messages, sign, options = {}]] of Object.entries(CASES)) {
      let body: string;
      try {
        body = encode({ model, messages: messages as Message[], options, stream: false }).body!;
      } catch (error) {
        assert.ok(error instanceof FlexLLMError, `${name}: ${error}`);
        assert.ok(["invalid_input", "configuration"].includes(error.code), `${name}: ${error}`);
        continue;
      }
      if (!sign.split("|").some((each) => body.includes(each))) dropped.push(name);
    }
    assert.deepEqual(dropped.sort(), [...NO_PLACE[format] ?? []].sort());
  });
}
