import assert from "node:assert/strict";
import { batchApiOf } from "../../lib/batch_api/registry.ts";
import { protocolNamed } from "../../lib/protocols/registry.ts";
import { service, SERVICE_NAMES, type ServiceName } from "../../lib/services/services.ts";
import { endpointOf } from "./setup.ts";

function nameOf(format: string, name?: ServiceName): string | undefined {
  return batchApiOf(endpointOf("http://localhost:1/v1", name), protocolNamed(format)!)?.name;
}

Deno.test("a service has the batch API of its row", () => {
  for (const name of ["openai", "azure", "groq", "siliconflow", "qwen", "moonshot"] as const) {
    assert.equal(nameOf("chat", name), "openai", name);
  }
  assert.equal(nameOf("chat", "mistral"), "mistral");
  assert.equal(nameOf("chat", "together"), "together");
  for (const name of ["deepseek", "vllm", "ollama", "perplexity"] as const) {
    assert.equal(nameOf("chat", name), undefined, name);
  }
});

Deno.test("every service says which batch API it has, or that it has none", () => {
  for (const name of SERVICE_NAMES) assert.ok(service(name).batch, name);
});

Deno.test("unknown servers have the batch API of the wire format", () => {
  assert.equal(nameOf("chat"), "openai");
  assert.equal(nameOf("responses"), "openai");
});

Deno.test("a service's batch API only takes its own wire formats", () => {
  assert.equal(nameOf("claude", "mistral"), undefined);
  assert.equal(nameOf("claude", "deepseek"), undefined);
  assert.equal(nameOf("responses", "together"), undefined);
});

Deno.test("a private server that is only named after OpenAI gets careful limits", () => {
  const endpoint = endpointOf("http://10.0.0.1/v1", "openai");
  const chat = protocolNamed("chat")!;
  assert.equal(batchApiOf(endpoint, chat)!.limits.bytes, 200e6);
  assert.equal(batchApiOf({ ...endpoint, openaiModelsOnly: true }, chat)!.limits.bytes, 100e6);
});
