/**
 * Requests to Anthropic's Messages API and to compatible servers.
 *
 * Wire format: Anthropic API reference, "Messages"; "Prompt caching"; "PDF support"; "Mid-conversation
 * system messages"; the types of `@anthropic-ai/sdk` 1.12.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { ContentPart, Message, SamplingOptions, Tool } from "../../../mod.ts";
import { anthropic } from "../../../lib/protocols/anthropic/anthropic.ts";

interface Given {
  model?: string;
  messages?: Message[];
  options?: SamplingOptions;
  baseUrl?: string;
}

function encode({ model = "claude-opus-5", messages, options = {}, baseUrl }: Given) {
  const endpoint = { baseUrl: baseUrl ?? "https://api.anthropic.com/v1", apiKey: "k", headers: {} };
  const request = anthropic.encoder(endpoint)({
    model,
    messages: messages ?? [{ role: "user", content: "hi" }],
    options,
    stream: false,
  });
  return { ...request, request: request.body!, body: JSON.parse(request.body!) };
}

/** The encoded blocks of a user message. */
function blocksOf(...content: unknown[]): unknown[] {
  const message: Message = { role: "user", content: content as ContentPart[] };
  return encode({ messages: [message] }).body.messages[0].content;
}

const FUNCTION: Tool = { type: "function", function: { name: "f" } };
const CACHED = { cache_control: { type: "ephemeral" as const, ttl: "1h" as const } };

Deno.test("claude sends prompt cache breakpoints of parts, tools and messages", () => {
  const { body } = encode({
    messages: [
      { role: "system", content: [{ type: "text", text: "Be brief.", ...CACHED }] },
      {
        role: "user",
        content: [
          { type: "text", text: "a", ...CACHED },
          { type: "image_url", image_url: { url: "https://host/a.png" }, ...CACHED },
          { type: "file", file: { file_data: "https://host/a.pdf" }, ...CACHED },
          { type: "document", source: { type: "url", url: "https://host/b.pdf" }, ...CACHED },
        ],
      },
      {
        role: "assistant",
        content: [{ type: "text", text: "b", ...CACHED }],
        tool_calls: [{ id: "t", type: "function", function: { name: "f", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "t", content: "c", ...CACHED },
    ],
    options: { tools: [{ ...FUNCTION, ...CACHED }] },
  });
  assert.deepEqual(body.system, [{ type: "text", text: "Be brief.", ...CACHED }]);
  const [user, assistant, tool] = body.messages;
  for (const block of user.content) assert.deepEqual(block.cache_control, CACHED.cache_control);
  assert.deepEqual(assistant.content[0], { type: "text", text: "b", ...CACHED });
  assert.deepEqual(tool.content[0].cache_control, CACHED.cache_control);
  assert.deepEqual(body.tools[0].cache_control, CACHED.cache_control);
});

Deno.test("claude receives a message's own breakpoint on its last block", () => {
  // LiteLLM and OpenRouter have it here if the content is a string.
  const { body } = encode({
    messages: [
      { role: "system", content: "Be brief.", ...CACHED } as Message,
      {
        role: "user",
        content: [{ type: "text", text: "a" }, { type: "text", text: "b" }],
        ...CACHED,
      } as Message,
      { role: "assistant", content: "c", ...CACHED } as Message,
      { role: "user", content: "d" },
    ],
  });
  assert.deepEqual(body.system, [{ type: "text", text: "Be brief.", ...CACHED }]);
  const text = (text: string, mark = {}) => ({ type: "text", text, ...mark });
  assert.deepEqual(body.messages.map(({ content }: { content: unknown }) => content), [
    [text("a"), text("b", CACHED)],
    [text("c", CACHED)],
    [text("d")],
  ]);
});

Deno.test("claude receives files and documents as document blocks, and images as images", () => {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  assert.deepEqual(
    blocksOf(
      {
        type: "file",
        file: { file_data: "data:application/pdf;base64,JVBERi0=", filename: "a.pdf" },
      },
      { type: "file", file: { file_data: "https://host/a.pdf" } },
      { type: "file", file: { file_id: "file_1" } },
      { type: "file", file: { file_data: `data:text/markdown;base64,${base64("# Grüße")}` } },
      { type: "file", file: { file_data: "data:image/png;base64,QUJD", filename: "a.png" } },
      {
        type: "document",
        source: { type: "text", media_type: "text/plain", data: "text" },
        title: "T",
        context: "C",
        citations: { enabled: true },
      },
      {
        type: "document",
        source: { type: "url", url: "data:application/pdf;base64,JVBERi0=" },
        title: "T",
      },
      { type: "search_result", source: "https://host", title: "R", content: [] },
      { type: "text", text: "" },
    ),
    [
      {
        type: "document",
        source: { type: "base64", media_type: "application/pdf", data: "JVBERi0=" },
        title: "a.pdf",
      },
      { type: "document", source: { type: "url", url: "https://host/a.pdf" } },
      { type: "document", source: { type: "file", file_id: "file_1" } },
      { type: "document", source: { type: "text", media_type: "text/plain", data: "# Grüße" } },
      { type: "image", source: { type: "base64", media_type: "image/png", data: "QUJD" } },
      {
        type: "document",
        source: { type: "text", media_type: "text/plain", data: "text" },
        title: "T",
        context: "C",
        citations: { enabled: true },
      },
      {
        type: "document",
        source: { type: "base64", media_type: "application/pdf", data: "JVBERi0=" },
        title: "T",
      },
      { type: "search_result", source: "https://host", title: "R", content: [] },
    ],
  );
});

Deno.test("claude rejects unsupported parts by name; only that record fails", () => {
  const cases: [part: unknown, pattern: RegExp][] = [
    [{ type: "input_audio", input_audio: { data: "QUJD", format: "wav" } }, /"input_audio"/],
    [{ type: "video_url", video_url: { url: "https://host/a.mp4" } }, /"video_url"/],
    [{ type: "file", file: { file_data: "data:audio/wav;base64,QUJD" } }, /audio\/wav/],
    [{ type: "image_url", image_url: { url: "data:image/svg+xml,<svg/>" } }, /image_url\.url/],
    [{ type: "file", file: { file_data: "QUJD" } }, /file\.file_data: expected a base64 data URL/],
  ];
  for (const [part, pattern] of cases) {
    assert.throws(() => blocksOf(part), (error: Error & { code: string }) => {
      assert.equal(error.code, "invalid_input");
      assert.match(error.message, pattern);
      return true;
    });
  }
});

Deno.test("claude receives failures, images and documents in tool results", () => {
  const call = { id: "t", type: "function" as const, function: { name: "f", arguments: "{}" } };
  const { body } = encode({
    messages: [
      { role: "user", content: "hi" },
      { role: "assistant", content: null, tool_calls: [call] },
      {
        role: "tool",
        tool_call_id: "t",
        is_error: true,
        content: [
          { type: "text", text: "no" },
          { type: "image_url", image_url: { url: "data:image/png;base64,QUJD" } },
          { type: "file", file: { file_data: "data:application/pdf;base64,JVBERi0=" } },
        ],
      },
    ],
  });
  assert.deepEqual(body.messages[2].content, [{
    type: "tool_result",
    tool_use_id: "t",
    is_error: true,
    content: [
      { type: "text", text: "no" },
      { type: "image", source: { type: "base64", media_type: "image/png", data: "QUJD" } },
      {
        type: "document",
        source: { type: "base64", media_type: "application/pdf", data: "JVBERi0=" },
      },
    ],
  }]);
});

Deno.test("claude receives other providers' calls with valid ids and inputs", () => {
  const calls = [
    { id: "functions.f:0", function: { name: "f", arguments: '{"a":1}' } },
    { id: "b", function: { name: "f", arguments: { a: 1 } } },
    { id: "c", function: { name: "f", arguments: " " } },
    { id: "d", function: { name: "f", arguments: '{"a":' } },
    { id: "e", function: { name: "f", arguments: "[1]" } },
    { id: "f", type: "custom", function: { name: "f", arguments: "free text" } },
    { id: "g", name: "f", arguments: '{"a":2}' },
    { id: "h", function: { name: "f", arguments: '{"a":1669700650467246081}' } },
  ];
  const { body, request } = encode({
    messages: [
      { role: "user", content: "hi" },
      { role: "assistant", content: "", tool_calls: calls as never },
      { role: "tool", tool_call_id: "functions.f:0", content: "one" },
    ],
  });
  const blocks = body.messages[1].content as { id: string; name: string; input: unknown }[];
  assert.deepEqual(blocks.map(({ id, input }) => [id, input]), [
    ["functions_f_0", { a: 1 }],
    ["b", { a: 1 }],
    ["c", {}],
    ["d", { INVALID_JSON: '{"a":' }],
    ["e", { arguments: [1] }],
    ["f", { input: "free text" }],
    ["g", { a: 2 }],
    ["h", { a: Number("1669700650467246081") }],
  ]);
  assert.ok(blocks.every(({ name }) => name === "f"));
  assert.match(request, /"input":\{"a":1669700650467246081\}/);
  assert.equal(body.messages[2].content[0].tool_use_id, "functions_f_0");
});

Deno.test("claude receives a system message after the first turn if the model accepts it", () => {
  const conversation = (...roles: string[]): Message[] =>
    roles.map((role) => ({ role, content: role }) as Message);
  const legal = conversation("system", "user", "assistant", "user", "system");
  const sent = encode({ messages: legal }).body;
  assert.equal(sent.system, "system");
  assert.deepEqual(sent.messages.at(-1), {
    role: "system",
    content: [{ type: "text", text: "system" }],
  });
  // Unknown servers decide for themselves.
  const foreign = encode({ messages: legal, model: "glm-4.6", baseUrl: "https://host/v1" }).body;
  assert.equal(foreign.messages.at(-1).role, "system");
  const cases: [string, Message[], RegExp][] = [
    ["claude-opus-4-5", legal, /messages\[4\]: claude-opus-4-5 does not accept system messages/],
    ["claude-sonnet-5", legal, /messages\[4\]/],
    [
      "claude-opus-5",
      conversation("user", "assistant", "system", "user"),
      /messages\[2\]: .*between/,
    ],
    ["claude-opus-5", conversation("user", "developer", "user"), /messages\[1\]: .*between/],
  ];
  for (const [model, messages, pattern] of cases) {
    assert.throws(() => encode({ model, messages }), (error: Error & { code: string }) => {
      assert.equal(error.code, "invalid_input");
      assert.match(error.message, pattern);
      return true;
    });
  }
});

Deno.test("claude answers are sent back without what the API rejects in requests", () => {
  const thinking = { type: "thinking", thinking: "Hm.", signature: "s" };
  const text = { type: "text", text: "Yes." };
  const fallback = { type: "fallback", from: { model: "a" }, to: { model: "b" } };
  const search = { type: "server_tool_use", id: "s1", name: "web_search", input: {} };
  const result = { type: "web_search_tool_result", tool_use_id: "s1", content: [] };
  const call = { type: "tool_use", id: "t1", name: "f", input: {} };
  const sent = (content: unknown[]) => {
    const providerMessage = { format: "claude" as const, content };
    return encode({
      messages: [
        { role: "user", content: "hi" },
        { role: "assistant", content: "Yes.", providerMessage },
        { role: "user", content: "ok" },
      ],
    }).body.messages[1].content;
  };
  assert.deepEqual(
    sent([thinking, { type: "text", text: "" }, text, { type: "text", text: "\n" }]),
    [
      thinking,
      text,
    ],
  );
  // "Refusals and fallback": the thinking and calls of the model that declined are not sent back.
  const unpaired = { ...search, id: "s2" };
  assert.deepEqual(
    sent([thinking, text, call, search, result, unpaired, fallback, thinking, call]),
    [text, search, result, fallback, thinking, call],
  );
});

Deno.test("claude keeps a refused turn in the conversation", () => {
  const { body } = encode({
    messages: [
      { role: "user", content: "one" },
      { role: "assistant", content: null, refusal: "I can't." },
      { role: "user", content: "two" },
    ],
  });
  assert.deepEqual(body.messages[1].content, [{ type: "text", text: "I can't." }]);
});

Deno.test("claude receives no empty lists, and its own tools along with functions", () => {
  const { body } = encode({ options: { tools: [], stop: [] } });
  assert.ok(!("tools" in body) && !("stop_sequences" in body));
  const search = { type: "web_search_20250305", name: "web_search", max_uses: 2 };
  const tools: Tool[] = [
    search,
    { type: "function", function: { name: "f", parameters: {} } },
    { type: "function", function: { name: "g", parameters: { properties: { a: {} } } } },
  ];
  assert.deepEqual(encode({ options: { tools } }).body.tools, [
    search,
    { name: "f", input_schema: { type: "object", properties: {} } },
    { name: "g", input_schema: { type: "object", properties: { a: {} } } },
  ]);
  // The tool choice can refer to tools in extraBody.
  const merged = encode({ options: { toolChoice: "none", extraBody: { tools: [search] } } }).body;
  assert.deepEqual([merged.tools, merged.tool_choice], [[search], { type: "none" }]);
});

Deno.test("claude rules only apply to known models", () => {
  const baseUrl = "https://api.z.ai/api/anthropic/v1";
  const tools = [FUNCTION];
  const options: SamplingOptions = { temperature: 0.2, topK: 5, thinking: "low", tools };
  const { headers, body } = encode({
    model: "glm-4.6",
    baseUrl,
    options: { ...options, toolChoice: "required" },
  });
  assert.equal(headers["anthropic-version"], "2023-06-01");
  assert.deepEqual([body.temperature, body.top_k, body.tool_choice], [0.2, 5, { type: "any" }]);
  assert.deepEqual(body.thinking, { type: "enabled", budget_tokens: 2048 });
  const off = encode({ model: "kimi-k2", baseUrl, options: { thinking: false } }).body;
  assert.deepEqual(off.thinking, { type: "disabled" });
  // A Claude newer than our list gets the newest form of thinking, and decides about the rest.
  const newer = encode({
    model: "claude-opus-9",
    options: { temperature: 0.2, thinking: "xhigh" },
  });
  assert.equal(newer.headers["anthropic-version"], "2023-06-01");
  assert.deepEqual([newer.body.temperature, newer.body.thinking.type], [0.2, "adaptive"]);
  // Only Anthropic's own host knows the newest version.
  assert.equal(encode({ baseUrl }).headers["anthropic-version"], "2023-06-01");
  assert.equal(encode({}).headers["anthropic-version"], "2026-10-21");
});

Deno.test("claude accepts sampling options with their default values", () => {
  const cases: [string, SamplingOptions][] = [
    ["claude-opus-5", { temperature: 1 }],
    ["claude-haiku-4-5", { temperature: 1, topP: 0.95, thinking: true }],
    ["claude-sonnet-4-6", { temperature: 1, thinking: "high" }],
  ];
  for (const [model, options] of cases) {
    const { headers, body } = encode({ model, options });
    assert.equal(body.temperature, 1);
    assert.equal(headers["anthropic-version"], "2023-06-01");
  }
});

Deno.test("claude has a form for every level of thinking", () => {
  const effort = (model: string, thinking: SamplingOptions["thinking"]) =>
    encode({ model, options: { thinking } }).body.output_config.effort;
  assert.deepEqual(["xhigh", "max"].map((level) => effort("claude-opus-5", level as "max")), [
    "xhigh",
    "max",
  ]);
  // Before Opus 4.7, there is no level between "high" and "max".
  assert.equal(effort("claude-sonnet-4-6", "xhigh"), "max");
  assert.equal(effort("claude-opus-5", "minimal"), "low");
  // Output limits: 32,000 tokens for Opus 4 and 4.1, 64,000 for the 4.5 generation.
  for (
    const [model, limit] of [["claude-opus-4-1", 32_000], ["claude-haiku-4-5", 64_000]] as const
  ) {
    for (const thinking of ["minimal", "low", "medium", "high", "xhigh", "max"] as const) {
      const { body } = encode({ model, options: { thinking } });
      const { budget_tokens } = body.thinking;
      assert.ok(budget_tokens >= 1024 && budget_tokens <= body.max_tokens - 8192, thinking);
      assert.ok(body.max_tokens <= limit, `${model} ${thinking} ${body.max_tokens}`);
    }
  }
});

Deno.test("claude lets extraBody replace our defaults", () => {
  const extraBody = {
    max_tokens: 10,
    thinking: { display: "omitted" },
    output_config: { task_budget: { type: "tokens", total: 9 } },
    metadata: { user_id: "u" },
  };
  const { body } = encode({ options: { thinking: "high", extraBody } });
  assert.equal(body.max_tokens, 10);
  assert.deepEqual(body.thinking, { type: "adaptive", display: "omitted" });
  assert.deepEqual(body.output_config, { effort: "high", ...extraBody.output_config });
  assert.deepEqual(body.metadata, { user_id: "u" });
  assert.throws(() => encode({ options: { maxTokens: 5, extraBody } }), /extraBody\.max_tokens/);
});
