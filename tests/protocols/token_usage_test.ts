/** Which counts of tokens a server can mean. */
import assert from "node:assert/strict";
import { decodeUsage as decodeAnthropic } from "../../lib/protocols/anthropic/usage.ts";
import { decodeUsage as decodeGemini } from "../../lib/protocols/gemini/usage.ts";
import { decodeUsage as decodeChat } from "../../lib/protocols/openai_chat/usage.ts";

Deno.test("counts that no request can have are unknown, and parts of tokens are rounded", () => {
  for (const wrong of [1e300, 2e9, -1, NaN, Infinity, "many"]) {
    const chat = decodeChat({ prompt_tokens: wrong, completion_tokens: 2.4 });
    assert.deepEqual([chat?.promptTokens, chat?.completionTokens], [0, 2], String(wrong));
    const { usage } = decodeAnthropic({ input_tokens: wrong, output_tokens: 2.4 });
    assert.deepEqual([usage?.promptTokens, usage?.completionTokens], [0, 2], String(wrong));
    const gemini = decodeGemini({ promptTokenCount: wrong, candidatesTokenCount: 2.4 });
    assert.deepEqual([gemini?.promptTokens, gemini?.completionTokens], [0, 2], String(wrong));
  }
});
