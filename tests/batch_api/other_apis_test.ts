/** Which endpoints have a batch API that is not an imitation of OpenAI's. */
import assert from "node:assert/strict";
import { batchApiOf } from "../../lib/batch_api/registry.ts";
import { protocolNamed } from "../../lib/protocols/registry.ts";
import { connect } from "../../lib/services/connect.ts";

function apiAt(baseUrl: string, format: string): string | undefined {
  const { endpoint } = connect({ baseUrl, provider: "auto" });
  return batchApiOf(endpoint, protocolNamed(format)!)?.name;
}

for (
  const [baseUrl, format, name] of [
    ["https://api.anthropic.com/v1", "claude", "anthropic"],
    ["https://gateway.example/anthropic/v1", "claude", "anthropic"],
    // Others that speak Anthropic's format have no batches.
    ["https://api.deepseek.com/anthropic", "claude", undefined],
    ["https://generativelanguage.googleapis.com/v1beta", "gemini", "gemini"],
    ["https://aiplatform.googleapis.com/v1/publishers/google", "gemini", undefined],
    ["https://api.x.ai/v1", "chat", "xai"],
    ["https://api.x.ai/v1", "responses", "xai"],
    ["https://openrouter.ai/api/v1", "chat", "openrouter"],
    ["https://openrouter.ai/api/v1", "claude", "openrouter"],
    ["https://api.fireworks.ai/inference/v1", "chat", "fireworks"],
    ["https://api.fireworks.ai/inference/v1", "responses", undefined],
  ] as const
) {
  Deno.test(`${format} at ${baseUrl}: ${name ?? "no batches"}`, () => {
    assert.equal(apiAt(baseUrl, format), name);
  });
}
