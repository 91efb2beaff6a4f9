/** The history of a conversation: tool calls and results, provider messages, system messages, attachments. */
import assert from "node:assert/strict";
import { asObject, asObjects, type Json } from "../../../../../lib/json/json.ts";
import {
  ENVELOPE_FORMAT,
  envelopeOrigin,
  writeEnvelope,
} from "../../../../../lib/protocols/envelope.ts";
import { CHAT, CLAUDE, type Format, GEMINI, RESPONSES } from "../../../../support/serve_formats.ts";
import {
  endpointOf,
  ENDPOINTS,
  refusedField,
  translate,
} from "../../../../support/translated_request.ts";

const PNG = "data:image/png;base64,iVBORw0KGgo=";

function call(id: string, name = "f", args = "{}"): Json {
  return { id, type: "function", function: { name, arguments: args } };
}

function chat(...messages: Json[]): Json {
  return { model: "m", messages: [{ role: "user", content: "Hi" }, ...messages] };
}

/** The blocks of a Claude request's turns. */
function turns(body: Json): Json[][] {
  return asObjects(body.messages).map(({ content }) => asObjects(content));
}

Deno.test("results come right after their calls, whatever the client puts between them", () => {
  const body = chat(
    { role: "assistant", content: null, tool_calls: [call("a"), call("b")] },
    { role: "user", content: "Wait." },
    { role: "tool", tool_call_id: "b", content: "B" },
    { role: "tool", tool_call_id: "a", content: "A" },
  );
  const [, , results] = turns(translate(CHAT, body, ENDPOINTS.claude).body);
  assert.deepEqual(results.map(({ tool_use_id, text }) => tool_use_id ?? text), [
    "a",
    "b",
    "Wait.",
  ]);
});

Deno.test("ids of calls become valid and unique, the same in every turn", () => {
  const long = "x".repeat(100);
  const turn = (id: string) => [
    { role: "assistant", content: null, tool_calls: [call(id)] },
    { role: "tool", tool_call_id: id, content: id },
  ];
  const body = chat(...turn("call_0"), ...turn("call_0"), ...turn("functions.f:0"), ...turn(long));
  for (const endpoint of [ENDPOINTS.claude, ENDPOINTS.responses]) {
    const first = JSON.stringify(translate(CHAT, body, endpoint).body);
    assert.equal(JSON.stringify(translate(CHAT, body, endpoint).body), first);
  }
  const blocks = turns(translate(CHAT, body, ENDPOINTS.claude).body).flat();
  const ids = blocks.filter(({ type }) => type === "tool_use").map(({ id }) => String(id));
  assert.equal(new Set(ids).size, 4);
  assert.ok(ids.every((id) => /^[a-zA-Z0-9_-]{1,64}$/.test(id)), ids.join());
  const answered = blocks.filter(({ type }) => type === "tool_result");
  assert.deepEqual(answered.map(({ tool_use_id }) => tool_use_id), ids);
  assert.deepEqual(answered.map(({ content }) => content), [
    "call_0",
    "call_0",
    "functions.f:0",
    long,
  ]);
});

Deno.test("Mistral gets ids of nine characters", () => {
  const mistral = endpointOf({ provider: "mistral", model: "mistral-large" });
  const body = {
    model: "m",
    max_tokens: 10,
    messages: [
      { role: "user", content: "Hi" },
      { role: "assistant", content: [{ type: "tool_use", id: "toolu_01", name: "f", input: {} }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_01", content: "x" }] },
    ],
  };
  const messages = asObjects(translate(CLAUDE, body, mistral).body.messages);
  const [{ id }] = asObjects(messages[1].tool_calls);
  assert.match(String(id), /^[a-zA-Z0-9]{9}$/);
  assert.equal(messages[2].tool_call_id, id);
});

Deno.test("images in tool results go to a user message where results are text", () => {
  const body = {
    model: "m",
    max_tokens: 10,
    messages: [
      { role: "user", content: "Hi" },
      { role: "assistant", content: [{ type: "tool_use", id: "t", name: "f", input: {} }] },
      {
        role: "user",
        content: [{
          type: "tool_result",
          tool_use_id: "t",
          content: [{ type: "text", text: "A cat." }, {
            type: "image",
            source: { type: "base64", media_type: "image/png", data: "QUJD" },
          }],
        }],
      },
    ],
  };
  const [, , result, user] = asObjects(translate(CLAUDE, body, ENDPOINTS.openai).body.messages);
  assert.deepEqual([result.role, result.tool_call_id], ["tool", "t"]);
  assert.match(String(result.content), /^A cat\.\n/);
  assert.equal(user.role, "user");
  assert.deepEqual(asObjects(user.content).map(({ type }) => type), ["text", "image_url"]);
});

Deno.test("system messages in the middle stay in place", () => {
  const body = chat(
    { role: "assistant", content: "Hello." },
    { role: "system", content: "Now in French." },
    { role: "user", content: "Again." },
  );
  const openai = asObjects(
    translate(RESPONSES, { model: "m", input: body.messages }, ENDPOINTS.openai).body.messages,
  );
  assert.deepEqual(openai.map(({ role }) => role), ["user", "assistant", "system", "user"]);
  for (const endpoint of [ENDPOINTS.claude, ENDPOINTS.gemini]) {
    const text = JSON.stringify(translate(CHAT, body, endpoint).body);
    assert.match(text, /<system>\\nNow in French\.\\n<\/system>.*Again\./);
  }
  const newest = endpointOf({ provider: "claude", model: "claude-opus-5" });
  const before = chat({ role: "system", content: "Now in French." });
  const roles = asObjects(translate(CHAT, before, newest).body.messages).map(({ role }) => role);
  assert.deepEqual(roles, ["user", "system"]);
});

Deno.test("a request of system messages only has a user's turn where one is needed", () => {
  const body = { model: "m", messages: [{ role: "system", content: "Say hello." }] };
  assert.deepEqual(turns(translate(CHAT, body, ENDPOINTS.claude).body), [[{
    type: "text",
    text: "Say hello.",
  }]]);
});

const THINKING = [
  { type: "thinking", thinking: "Hm.", signature: "c2ln" },
  { type: "tool_use", id: "toolu_1", name: "f", input: {} },
];
const PARTS = [{ functionCall: { name: "f", args: {}, id: "c1" }, thoughtSignature: "c2ln" }];

/** A history in each client's format, with an envelope in the field that it has for it. */
function histories(envelope: string, id: string): [Format, Json][] {
  return [
    [CHAT, {
      model: "m",
      messages: [
        { role: "user", content: "Hi" },
        {
          role: "assistant",
          content: null,
          tool_calls: [call(id)],
          reasoning_details: [{
            type: "reasoning.encrypted",
            data: envelope,
            format: ENVELOPE_FORMAT,
          }],
        },
        { role: "tool", tool_call_id: id, content: "x" },
      ],
    }],
    [RESPONSES, {
      model: "m",
      input: [
        { role: "user", content: "Hi" },
        { type: "function_call", call_id: id, name: "f", arguments: "{}" },
        { type: "reasoning", summary: [], encrypted_content: envelope },
        { type: "function_call_output", call_id: id, output: "x" },
      ],
    }],
    [CLAUDE, {
      model: "m",
      max_tokens: 100,
      messages: [
        { role: "user", content: "Hi" },
        {
          role: "assistant",
          content: [{ type: "tool_use", id, name: "f", input: {} }, {
            type: "redacted_thinking",
            data: envelope,
          }],
        },
        { role: "user", content: [{ type: "tool_result", tool_use_id: id, content: "x" }] },
      ],
    }],
    [GEMINI, {
      contents: [
        { role: "user", parts: [{ text: "Hi" }] },
        {
          role: "model",
          parts: [{ functionCall: { name: "f", args: {}, id } }, {
            text: "",
            thoughtSignature: envelope,
          }],
        },
        {
          role: "user",
          parts: [{ functionResponse: { name: "f", id, response: { output: "x" } } }],
        },
      ],
    }],
  ];
}

Deno.test("a provider's message comes back to the endpoint and model that wrote it", () => {
  const { claude, gemini, responses } = ENDPOINTS;
  const fromClaude = writeEnvelope(
    { format: "claude", content: THINKING },
    envelopeOrigin(claude.name, "claude-opus-4-6"),
  );
  for (const [format, body] of histories(fromClaude, "toolu_1")) {
    if (format === CLAUDE) continue;
    assert.deepEqual(turns(translate(format, body, claude).body)[1], THINKING);
  }
  const fromGemini = writeEnvelope(
    { format: "gemini", content: PARTS },
    envelopeOrigin(gemini.name, "gemini-3-pro"),
  );
  for (const [format, body] of histories(fromGemini, "c1")) {
    if (format === GEMINI) continue;
    const contents = asObjects(translate(format, body, gemini).body.contents);
    assert.deepEqual(contents[1].parts, PARTS);
  }
  const items = [
    { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "gAAA" },
    { type: "function_call", call_id: "c1", name: "f", arguments: "{}" },
  ];
  const fromOpenAI = writeEnvelope(
    { format: "responses", content: items },
    envelopeOrigin(responses.name, "gpt-5.1"),
  );
  for (const [format, body] of histories(fromOpenAI, "c1")) {
    if (format === RESPONSES) continue;
    const input = asObjects(translate(format, body, responses).body.input);
    assert.deepEqual(input.slice(1, 3), items);
  }
});

Deno.test("no other endpoint gets an envelope or what is in it, nor does a damaged one do harm", () => {
  const { claude, gemini } = ENDPOINTS;
  const origin = envelopeOrigin(claude.name, "another-model");
  const envelopes = [
    writeEnvelope({ format: "claude", content: THINKING }, origin),
    "flexllm1.damaged",
    "flexllm1.e30",
    `flexllm1.${btoa("[1]")}`,
  ];
  for (const envelope of envelopes) {
    for (const [format, body] of histories(envelope, "toolu_1")) {
      for (const to of Object.values(ENDPOINTS)) {
        const text = JSON.stringify(translate(format, body, to).body);
        assert.doesNotMatch(text, /flexllm1|c2ln|Hm\./);
        assert.match(text, /toolu_1/);
      }
    }
  }
  // Gemini 3 wants a signature with each call: Google documents a placeholder for calls of others.
  const [, { parts }] = asObjects(translate(CHAT, histories("", "c1")[0][1], gemini).body.contents);
  assert.equal(asObjects(parts)[0].thoughtSignature, "skip_thought_signature_validator");
});

Deno.test("Gemini's signatures in calls of its OpenAI-compatible form come back to Gemini", () => {
  const signed = { ...call("c1"), extra_content: { google: { thought_signature: "c2ln" } } };
  const body = chat(
    { role: "assistant", content: null, tool_calls: [signed] },
    { role: "tool", tool_call_id: "c1", content: "x" },
  );
  const [, { parts }] = asObjects(translate(CHAT, body, ENDPOINTS.gemini).body.contents);
  assert.equal(asObjects(parts)[0].thoughtSignature, "c2ln");
  assert.doesNotMatch(JSON.stringify(translate(CHAT, body, ENDPOINTS.claude).body), /c2ln/);
});

Deno.test("a tool loop without its thinking continues without a thinking budget", () => {
  const [[, body]] = histories("", "c1");
  const old = endpointOf({ provider: "claude", model: "claude-sonnet-4-5" });
  const thinking = { ...body, reasoning_effort: "high", max_tokens: 40_000 };
  const loop = translate(CHAT, thinking, old);
  assert.equal(loop.body.thinking, undefined);
  assert.deepEqual(loop.dropped, ["reasoning_effort"]);
  const fresh = { ...thinking, messages: [{ role: "user", content: "Hi" }] };
  assert.equal(asObject(translate(CHAT, fresh, old).body.thinking)?.type, "enabled");
  assert.equal(
    asObject(translate(CHAT, thinking, ENDPOINTS.claude).body.thinking)?.type,
    "adaptive",
  );
});

Deno.test("images go as URLs only to APIs that fetch them", () => {
  const image = (url: string) => ({
    model: "m",
    max_tokens: 10,
    messages: [{
      role: "user",
      content: [{ type: "text", text: "What?" }, { type: "image", source: { type: "url", url } }],
    }],
  });
  const body = image("https://example.org/a.png");
  const { messages } = translate(CLAUDE, body, ENDPOINTS.openai).body;
  assert.match(JSON.stringify(messages), /"url":"https:\/\/example\.org\/a\.png"/);
  assert.equal(refusedField(CLAUDE, body, ENDPOINTS.gemini), "messages[0].content[1]");
  for (const url of ["file:///etc/passwd", "/etc/passwd", "a.png", "gs://b/a.png"]) {
    for (const to of [ENDPOINTS.openai, ENDPOINTS.responses]) {
      assert.equal(refusedField(CLAUDE, image(url), to), "messages[0].content[1]");
    }
  }
});

Deno.test("audio goes to APIs that listen", () => {
  const body = chat({
    role: "user",
    content: [{ type: "input_audio", input_audio: { data: "UklGRg==", format: "wav" } }],
  });
  const contents = asObjects(translate(CHAT, body, ENDPOINTS.gemini).body.contents);
  assert.match(JSON.stringify(contents), /"mimeType":"audio\/wav"/);
  assert.equal(refusedField(CHAT, body, ENDPOINTS.claude), "messages[1].content[0]");
});

Deno.test("an attribution line stays with Anthropic", () => {
  const line = "x-anthropic-billing-header: cc_version=2.1.197;";
  for (const system of [line, [{ type: "text", text: line }, { type: "text", text: "Be kind." }]]) {
    const body = {
      model: "m",
      max_tokens: 10,
      system,
      messages: [{ role: "user", content: "Hi" }],
    };
    for (const to of [ENDPOINTS.openai, ENDPOINTS.vllm, ENDPOINTS.responses, ENDPOINTS.gemini]) {
      assert.doesNotMatch(JSON.stringify(translate(CLAUDE, body, to).body), /billing/);
    }
  }
});

Deno.test("results of Claude Code's tool search and its documents are carried as text", () => {
  const body = {
    model: "m",
    max_tokens: 10,
    messages: [
      { role: "user", content: "Hi" },
      {
        role: "assistant",
        content: [{ type: "tool_use", id: "t", name: "ToolSearch", input: {} }],
      },
      {
        role: "user",
        content: [
          {
            type: "tool_result",
            tool_use_id: "t",
            content: [{ type: "tool_reference", tool_name: "Grep" }],
          },
          {
            type: "search_result",
            title: "T",
            source: "S",
            content: [{ type: "text", text: "C" }],
          },
          {
            type: "document",
            source: { type: "url", url: PNG.replace("image/png", "application/pdf") },
          },
        ],
      },
    ],
  };
  const text = JSON.stringify(translate(CLAUDE, body, ENDPOINTS.openai).body.messages);
  assert.match(text, /The tool Grep is available\./);
  assert.match(text, /T\\nS\\nC/);
  assert.match(text, /data:application\/pdf;base64/);
});
