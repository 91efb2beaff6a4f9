/** Conversations, cache entries and messages of version 0.1.0, with `native` instead of `providerMessage`. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { normalizeMessages } from "../../lib/chat/normalize.ts";
import { requestMessages } from "../../lib/conversations/conversation.ts";
import { ConversationStore } from "../../lib/conversations/store.ts";
import { decodeAnswer, encodeAnswer } from "../../lib/cache/entry.ts";
import { LLMClient, type Message } from "../../mod.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const BLOCKS = [
  { type: "thinking", thinking: "easy", signature: "c2ln" },
  { type: "text", text: "4" },
];
const PROVIDER_MESSAGE = { format: "claude", content: BLOCKS };

/** The messages that a client of Claude sends. */
async function sentToClaude(messages: readonly Message[]) {
  let body: { messages: unknown[] } | undefined;
  await using client = new LLMClient({
    provider: "claude",
    apiKey: "key",
    model: "claude-opus-5",
    fetch: (_url, init) => {
      body = JSON.parse(String(init.body));
      return Promise.resolve(Response.json({
        model: "m",
        content: [{ type: "text", text: "Yes" }],
        stop_reason: "end_turn",
        usage: { input_tokens: 1, output_tokens: 1 },
      }));
    },
  });
  await client.chatCompletions(messages);
  return body!.messages;
}

Deno.test("a message with native is sent in the provider's own form", async () => {
  const recorded = { role: "assistant", content: "4", native: PROVIDER_MESSAGE };
  const messages = [
    { role: "user", content: "What is 2 + 2?" },
    recorded,
    { role: "user", content: "Sure?" },
  ] as Message[];
  assert.deepEqual((await sentToClaude(messages))[1], { role: "assistant", content: BLOCKS });
  // The caller's message is not modified.
  assert.deepEqual(Object.keys(recorded), ["role", "content", "native"]);
  assert.deepEqual(normalizeMessages(messages)[1], {
    role: "assistant",
    content: "4",
    providerMessage: PROVIDER_MESSAGE,
  });
});

Deno.test("a conversation of 0.1.0 is resumed, and saved under the new name", async () => {
  using folder = temporaryFolder();
  const store = new ConversationStore(folder.path);
  const id = "20261101-101112-123abcd";
  mkdirSync(store.folder);
  copyFileSync(new URL("../fixtures/conversation_0.1.0.json", import.meta.url), store.pathOf(id));
  const conversation = store.find(id);
  assert.deepEqual(conversation.turns[0].assistant, {
    role: "assistant",
    content: "4",
    providerMessage: PROVIDER_MESSAGE,
  });
  const messages = [...requestMessages(conversation), { role: "user", content: "Sure?" } as const];
  assert.deepEqual((await sentToClaude(messages))[1], { role: "assistant", content: BLOCKS });
  store.save(conversation);
  assert.ok(!readFileSync(store.pathOf(id), "utf8").includes('"native"'));
});

Deno.test("a cache entry of 0.1.0 is read", () => {
  const json = JSON.stringify({
    content: "4",
    native: PROVIDER_MESSAGE,
    usage: { promptTokens: 9, completionTokens: 5, totalTokens: 14 },
    finishReason: "stop",
    model: "claude-opus-5",
  });
  const result = decodeAnswer(json, "http://host.invalid", 0.1);
  assert.deepEqual(result.message.providerMessage, PROVIDER_MESSAGE);
  assert.equal("native" in result.message, false);
  assert.deepEqual(JSON.parse(encodeAnswer(result)).providerMessage, PROVIDER_MESSAGE);
});

Deno.test("a batch whose inputs had native in 0.1.0 is resumed under either name", async () => {
  using folder = temporaryFolder();
  const question: Message = { role: "user", content: "What is 2 + 2?" };
  const next: Message = { role: "user", content: "Sure?" };
  const recorded = { role: "assistant", content: "4", native: PROVIDER_MESSAGE } as Message;
  const answered: Message = { role: "assistant", content: "4", providerMessage: PROVIDER_MESSAGE };
  const old = { index: 0, output: "Yes", status: "success", input: [question, recorded, next] };
  const output = folder.write("out.jsonl", `${JSON.stringify(old)}\n`);
  await using client = new LLMClient({ provider: "mock" });
  for (const input of [recorded, answered].map((message) => [question, message, next])) {
    const { summary } = await client.chatCompletionsBatch([input], { output });
    assert.equal(summary.restored, 1);
  }
  const changed: Message = { ...answered, providerMessage: { format: "claude", content: [] } };
  await assert.rejects(client.chatCompletionsBatch([[question, changed, next]], { output }), {
    code: "journal_mismatch",
  });
});
