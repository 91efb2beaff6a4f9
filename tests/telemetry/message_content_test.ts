/**
 * The form of messages on spans.
 *
 * Source: open-telemetry/semantic-conventions-genai, `gen-ai-input-messages.json`, `gen-ai-output-messages.json`.
 */
import assert from "node:assert/strict";
import type { Message } from "../../mod.ts";
import {
  inputMessages,
  outputMessages,
  systemParts,
  toolDefinitions,
} from "../../lib/telemetry/message_content.ts";

const CALL = {
  id: "call-1",
  type: "function",
  function: { name: "weather", arguments: '{"city":"Paris"}' },
} as const;

Deno.test("all kinds of messages and parts are recorded, but no attached data", () => {
  const messages: Message[] = [
    { role: "developer", content: "Be kind." },
    {
      role: "user",
      name: "Ann",
      content: [
        { type: "text", text: "Look:" },
        { type: "image_url", image_url: { url: "data:image/png;base64,SECRETDATA" } },
        { type: "image_url", image_url: { url: "https://example.com/a.png" } },
        { type: "image_url", image_url: { url: "photo.jpg" } },
        { type: "file", file: { file_id: "file-1" } },
      ],
    },
    { role: "assistant", content: null, tool_calls: [CALL] },
    { role: "tool", tool_call_id: "call-1", content: "sunny" },
  ];
  assert.deepEqual(systemParts(messages), [{ type: "text", content: "Be kind." }]);
  assert.deepEqual(JSON.parse(JSON.stringify(inputMessages(messages))), [
    {
      role: "user",
      name: "Ann",
      parts: [
        { type: "text", content: "Look:" },
        { type: "blob", modality: "image", mime_type: "image/png", content: "" },
        { type: "uri", modality: "image", uri: "https://example.com/a.png" },
        { type: "blob", modality: "image", content: "" },
        { type: "file", modality: "document", file_id: "file-1" },
      ],
    },
    {
      role: "assistant",
      parts: [{ type: "tool_call", id: "call-1", name: "weather", arguments: { city: "Paris" } }],
    },
    { role: "tool", parts: [{ type: "tool_call_response", id: "call-1", response: "sunny" }] },
  ]);
});

Deno.test("answers have thinking, text, tool calls and the reason why they ended", () => {
  const broken = { ...CALL, function: { name: "weather", arguments: '{"city' } };
  assert.deepEqual(
    outputMessages({
      content: "Sure",
      thinking: "Hm",
      toolCalls: [broken],
      finishReason: "tool_calls",
    }),
    [{
      role: "assistant",
      parts: [
        { type: "reasoning", content: "Hm" },
        { type: "text", content: "Sure" },
        { type: "tool_call", id: "call-1", name: "weather", arguments: '{"city' },
      ],
      finish_reason: "tool_call",
    }],
  );
  assert.equal(outputMessages({ content: "", refusal: "No" })[0].parts[0].content, "No");
  assert.equal(outputMessages({ content: "part" })[0].finish_reason, "error");
});

Deno.test("the tools of providers are recorded by their type", () => {
  assert.deepEqual(toolDefinitions([{ type: "web_search" }, { googleSearch: {} }]), [
    { type: "web_search", name: "web_search" },
    { type: "googleSearch", name: "googleSearch" },
  ]);
});
