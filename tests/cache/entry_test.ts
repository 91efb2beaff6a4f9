import assert from "node:assert/strict";
import type { ChatResult, FinishReason } from "../../mod.ts";
import {
  decodeAnswer,
  encodeAnswer,
  isStorable,
  signedEntry,
  verifiedAnswer,
} from "../../lib/cache/entry.ts";
import { assistantMessage } from "../../lib/chat/assistant_message.ts";
import { chatResult } from "../support/chat_result.ts";

function roundTrip(result: ChatResult): ChatResult {
  return decodeAnswer(encodeAnswer(result), result.endpoint, 0.001);
}

const TOOL_CALLS = [{
  id: "call_1",
  type: "function" as const,
  function: { name: "weather", arguments: '{"city": "Zürich"' },
}];

Deno.test("a stored answer is returned complete, marked as cached, free and without its raw form", () => {
  const providerMessage = {
    format: "claude" as const,
    content: [{ type: "thinking", thinking: "Hm.", signature: "c2ln" }, { type: "tool_use" }],
  };
  const results = [
    chatResult("Hello 🙂"),
    chatResult("", {
      thinking: "Hm.",
      toolCalls: TOOL_CALLS,
      message: assistantMessage({ content: "", toolCalls: TOOL_CALLS, providerMessage }),
      finishReason: "tool_calls",
      usage: {
        promptTokens: 10,
        completionTokens: 20,
        totalTokens: 30,
        cachedTokens: 4,
        cacheWriteTokens: 5,
        reasoningTokens: 6,
      },
    }),
    chatResult('{"a": [1]}', { parsed: { a: [1] } }),
    chatResult("null", { parsed: null }),
    chatResult("no usage", { usage: null, cost: null }),
  ];
  for (const result of results) {
    const expected = { ...result, cost: 0, cached: true, latency: 0.001, raw: null };
    assert.deepEqual(roundTrip(result), expected);
  }
});

Deno.test("only complete answers are stored", () => {
  const reasons: FinishReason[] = ["stop", "tool_calls", "length", "content_filter", "other"];
  const storable = reasons.filter((finishReason) => isStorable(chatResult("x", { finishReason })));
  assert.deepEqual(storable, ["stop", "tool_calls"]);
});

Deno.test("an entry is only valid under its key, with its time and its complete answer", () => {
  const json = encodeAnswer(chatResult("Hello"));
  const entry = signedEntry("key-a", 1000, "m", json);
  assert.equal(verifiedAnswer("key-a", entry), json);
  assert.equal(verifiedAnswer("key-b", entry), undefined);
  assert.equal(verifiedAnswer("key-a", { ...entry, created: 2000 }), undefined);
  for (const value of ["", "x", entry.value.slice(0, -1), entry.value.replace("Hello", "Hallo")]) {
    assert.equal(verifiedAnswer("key-a", { ...entry, value }), undefined, value);
  }
});
