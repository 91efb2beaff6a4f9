/** Each field that another format cannot carry is dropped by rule, or refused by its own name. */
import assert from "node:assert/strict";
import type { Json } from "../../../../../lib/json/json.ts";
import { CHAT, CLAUDE, type Format, GEMINI, RESPONSES } from "../../../../support/serve_formats.ts";
import {
  endpointOf,
  ENDPOINTS,
  refusedField,
  translate,
} from "../../../../support/translated_request.ts";

const MINIMAL = new Map<Format, Json>([
  [CHAT, { model: "m", messages: [{ role: "user", content: "Hi" }] }],
  [RESPONSES, { model: "m", input: "Hi" }],
  [CLAUDE, { model: "m", max_tokens: 100, messages: [{ role: "user", content: "Hi" }] }],
  [GEMINI, { contents: [{ role: "user", parts: [{ text: "Hi" }] }] }],
]);
const NAMES = new Map<Format, string>([
  [CHAT, "chat"],
  [RESPONSES, "responses"],
  [CLAUDE, "claude"],
  [GEMINI, "gemini"],
]);

function targetsOf(format: Format) {
  const own = NAMES.get(format)!;
  return Object.entries(ENDPOINTS).filter(([name]) =>
    name !== own && !(format === CHAT && (name === "openai" || name === "vllm"))
  );
}

function config(fields: Json): Json {
  return { generationConfig: fields };
}

function user(part: Json): Json {
  return { messages: [{ role: "user", content: [part] }] };
}

const REFUSED: [Format, Json, string][] = [
  [CHAT, { n: 2 }, "n"],
  [CHAT, { audio: { voice: "alloy" } }, "audio"],
  [CHAT, { modalities: ["text", "audio"] }, "modalities"],
  [CHAT, { prediction: { type: "content", content: "x" } }, "prediction"],
  [CHAT, { logit_bias: { "50256": -100 } }, "logit_bias"],
  [CHAT, { guided_regex: "a+" }, "guided_regex"],
  [
    CHAT,
    { tools: [{ type: "function", function: { name: "f" } }], tool_choice: { type: "web_search" } },
    "tool_choice",
  ],
  [
    CHAT,
    user({ type: "video_url", video_url: { url: "https://h/v.mp4" } }),
    "messages[0].content[0]",
  ],
  [CHAT, user({ type: "file", file: { file_id: "file-1" } }), "messages[0].content[0]"],
  [
    CHAT,
    user({ type: "image_url", image_url: { url: "/etc/passwd" } }),
    "messages[0].content[0]",
  ],
  [
    CHAT,
    {
      messages: [{ role: "user", content: "Hi" }, {
        role: "tool",
        tool_call_id: "c",
        content: "x",
      }],
    },
    "messages[1]",
  ],
  [CHAT, { messages: [{ role: "wizard", content: "Hi" }] }, "messages[0].role"],
  [RESPONSES, { previous_response_id: "resp_1" }, "previous_response_id"],
  [RESPONSES, { conversation: "conv_1" }, "conversation"],
  [RESPONSES, { prompt: { id: "pmpt_1" } }, "prompt"],
  [RESPONSES, { background: true }, "background"],
  [RESPONSES, { tools: [{ type: "mcp", server_label: "s", server_url: "https://h" }] }, "tools[0]"],
  [RESPONSES, { tools: [{ type: "file_search", vector_store_ids: ["v"] }] }, "tools[0]"],
  [
    RESPONSES,
    { tools: [{ type: "web_search" }], tool_choice: { type: "web_search" } },
    "tool_choice",
  ],
  [RESPONSES, { input: [{ type: "item_reference", id: "msg_1" }] }, "input[0]"],
  [RESPONSES, { input: [{ type: "compaction", encrypted_content: "x" }] }, "input[0]"],
  [RESPONSES, { input: [{ type: "computer_call", call_id: "c", action: {} }] }, "input[0]"],
  [
    RESPONSES,
    { input: [{ role: "user", content: [{ type: "input_image", file_id: "file-1" }] }] },
    "input[0].content[0]",
  ],
  [
    RESPONSES,
    { input: [{ type: "function_call_output", call_id: "c", output: "x" }] },
    "input[0]",
  ],
  [CLAUDE, { container: "container_1" }, "container"],
  [CLAUDE, { mcp_servers: [{ type: "url", url: "https://h", name: "s" }] }, "mcp_servers"],
  [CLAUDE, { inference_geo: "us" }, "inference_geo"],
  [
    CLAUDE,
    user({ type: "image", source: { type: "file", file_id: "file_1" } }),
    "messages[0].content[0]",
  ],
  [CLAUDE, user({ type: "container_upload", file_id: "file_1" }), "messages[0].content[0]"],
  [CLAUDE, user({ type: "hologram" }), "messages[0].content[0]"],
  [
    CLAUDE,
    user({ type: "tool_result", tool_use_id: "toolu_1", content: "x" }),
    "messages[0].content[0]",
  ],
  [
    CLAUDE,
    {
      tools: [{ name: "f", input_schema: { type: "object" } }, {
        type: "web_search_20250305",
        name: "web_search",
      }],
      tool_choice: { type: "tool", name: "web_search" },
    },
    "tool_choice",
  ],
  [GEMINI, config({ candidateCount: 2 }), "generationConfig.candidateCount"],
  [GEMINI, config({ responseModalities: ["IMAGE"] }), "generationConfig.responseModalities"],
  [GEMINI, config({ response_modalities: ["AUDIO"] }), "generationConfig.responseModalities"],
  [GEMINI, config({ speechConfig: { languageCode: "de" } }), "generationConfig.speechConfig"],
  [GEMINI, { cachedContent: "cachedContents/1" }, "cachedContent"],
  [GEMINI, { tools: [{ fileSearch: { fileSearchStoreNames: ["s"] } }] }, "tools[0]"],
  [
    GEMINI,
    { contents: [{ role: "user", parts: [{ fileData: { fileUri: "gs://b/a.pdf" } }] }] },
    "contents[0].parts[0]",
  ],
];

for (const [format, fields, param] of REFUSED) {
  Deno.test(`${NAMES.get(format)}: ${JSON.stringify(fields).slice(0, 90)} is refused as ${param}`, () => {
    for (const [name, to] of targetsOf(format)) {
      assert.equal(refusedField(format, { ...MINIMAL.get(format), ...fields }, to), param, name);
    }
  });
}

const DROPPED: [Format, Json, string[]][] = [
  [CHAT, { user: "u", metadata: { a: "b" }, safety_identifier: "s" }, [
    "metadata",
    "safety_identifier",
    "user",
  ]],
  [CHAT, { store: true, prediction: null, n: 1, modalities: ["text"], logit_bias: {} }, ["store"]],
  [CHAT, { store: false, service_tier: "auto" }, []],
  [CHAT, { web_search_options: { search_context_size: "low" } }, ["web_search_options"]],
  [CHAT, { a_field_of_next_year: true }, ["a_field_of_next_year"]],
  [CHAT, { stream_options: { include_usage: true, include_obfuscation: false } }, [
    "stream_options.include_obfuscation",
  ]],
  [CHAT, { messages: [{ role: "user", name: "ann", content: "Hi" }] }, ["messages[].name"]],
  [RESPONSES, { store: false, truncation: "disabled", background: false }, []],
  [RESPONSES, { truncation: "auto", client_metadata: { a: "b" }, max_tool_calls: 3 }, [
    "client_metadata",
    "max_tool_calls",
    "truncation",
  ]],
  [RESPONSES, { include: ["reasoning.encrypted_content", "file_search_call.results"] }, [
    "include[].file_search_call.results",
  ]],
  [RESPONSES, { tools: [{ type: "web_search" }], tool_choice: "auto", parallel_tool_calls: true }, [
    "tools[0].web_search",
  ]],
  [CLAUDE, { metadata: { user_id: "u" }, speed: "fast", service_tier: "auto" }, [
    "metadata",
    "speed",
  ]],
  [CLAUDE, { context_management: { edits: [{ type: "x" }] } }, ["context_management"]],
  [CLAUDE, { output_config: { task_budget: 5 } }, ["output_config.task_budget"]],
  [
    CLAUDE,
    user({ type: "text", text: "Hi", cache_control: { type: "ephemeral" } }),
    ["cache_control"],
  ],
  [CLAUDE, { tools: [{ type: "bash_20250124", name: "bash" }] }, ["tools[0].bash_20250124"]],
  [GEMINI, { safety_settings: [{ category: "c", threshold: "t" }], labels: { a: "b" } }, [
    "labels",
    "safetySettings",
  ]],
  [GEMINI, { tools: [{ googleSearch: { timeRangeFilter: {} } }] }, ["tools[0].googleSearch"]],
  [GEMINI, config({ mediaResolution: "MEDIA_RESOLUTION_LOW" }), [
    "generationConfig.mediaResolution",
  ]],
];

for (const [format, fields, dropped] of DROPPED) {
  Deno.test(`${NAMES.get(format)}: ${JSON.stringify(fields).slice(0, 90)} is dropped`, () => {
    const plain = MINIMAL.get(format)!;
    for (const [name, to] of targetsOf(format)) {
      const result = translate(format, { ...plain, ...fields }, to);
      assert.deepEqual(result.dropped, dropped, name);
      assert.deepEqual(result.body, translate(format, plain, to).body, name);
    }
  });
}

Deno.test("beta headers are for Anthropic only", () => {
  const headers = { "anthropic-beta": "context-1m-2025-08-07" };
  const { dropped } = translate(CLAUDE, MINIMAL.get(CLAUDE)!, ENDPOINTS.gemini, headers);
  assert.deepEqual(dropped, ["anthropic-beta"]);
});

Deno.test("an option that a model refuses is named as the client knows it", () => {
  const stops: [Format, Json, string][] = [
    [CHAT, { stop: ["x"] }, "stop"],
    [CLAUDE, { stop_sequences: ["x"] }, "stop_sequences"],
    [GEMINI, config({ stopSequences: ["x"] }), "generationConfig.stopSequences"],
  ];
  for (const [format, fields, param] of stops) {
    const body = { ...MINIMAL.get(format), ...fields };
    assert.equal(refusedField(format, body, ENDPOINTS.responses), param);
  }
  const claude = endpointOf({ provider: "claude", model: "claude-opus-5" });
  const warm = { ...MINIMAL.get(GEMINI), ...config({ temperature: 0.2 }) };
  assert.equal(refusedField(GEMINI, warm, claude), "generationConfig.temperature");
  const thinking = { ...MINIMAL.get(CHAT), temperature: 0.2, reasoning_effort: "high" };
  assert.equal(refusedField(CHAT, thinking, ENDPOINTS.claude), "temperature");
  const blank = { ...MINIMAL.get(CHAT), stop: ["\n\n"] };
  assert.equal(refusedField(CHAT, blank, ENDPOINTS.claude), "stop");
  const zip = { file_data: "data:application/zip;base64,QUJD" };
  const attached = { ...MINIMAL.get(CHAT), ...user({ type: "file", file: zip }) };
  assert.equal(refusedField(CHAT, attached, ENDPOINTS.claude), "messages[0].content[0]");
  assert.equal(refusedField(CHAT, attached, ENDPOINTS.gemini), "messages[0].content[0]");
  const hot = { ...MINIMAL.get(CHAT), presence_penalty: 1 };
  assert.equal(refusedField(CHAT, hot, ENDPOINTS.claude), "presence_penalty");
});

Deno.test("log probabilities and verbosity go to the field of the target", () => {
  const chat = { ...MINIMAL.get(CHAT), logprobs: true, top_logprobs: 3, verbosity: "low" };
  const gemini = translate(CHAT, chat, ENDPOINTS.gemini);
  assert.deepEqual(gemini.body.generationConfig, { responseLogprobs: true, logprobs: 3 });
  assert.deepEqual(gemini.dropped, ["verbosity"]);
  const responses = translate(CHAT, chat, ENDPOINTS.responses).body;
  assert.equal(responses.top_logprobs, 3);
  assert.deepEqual(responses.text, { verbosity: "low" });
  assert.equal(refusedField(CHAT, chat, ENDPOINTS.claude), "logprobs");
  const back = { ...MINIMAL.get(GEMINI), ...config({ responseLogprobs: true, logprobs: 2 }) };
  const openai = translate(GEMINI, back, ENDPOINTS.openai).body;
  assert.deepEqual([openai.logprobs, openai.top_logprobs], [true, 2]);
  assert.equal(
    refusedField(GEMINI, back, ENDPOINTS.claude),
    "generationConfig.responseLogprobs",
  );
});
