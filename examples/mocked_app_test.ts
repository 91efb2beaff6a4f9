/**
 * Tests your own app with the mock instead of a model: you choose the answers and the faults, and no test
 * needs a key or a network.
 *
 *     deno test -A examples/mocked_app_test.ts          # or: bun test, node --test
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ChatClient,
  createMockApp,
  FlexLLMError,
  LLMClient,
  type MockOptions,
} from "@flexllm/flexllm";

// The app. The client is a parameter, so that tests can pass another one.

export async function suggestReply(client: ChatClient, mail: string): Promise<string> {
  try {
    const { content, finishReason } = await client.chatCompletions([
      { role: "system", content: "Suggest a reply to the mail, in one sentence." },
      { role: "user", content: mail },
    ], { maxTokens: 100 });
    return finishReason === "length" ? `${content}…` : content;
  } catch (error) {
    if (error instanceof FlexLLMError) return `No suggestion (${error.code}).`;
    throw error;
  }
}

// The tests.

function mockedClient(options: MockOptions): LLMClient {
  const mock = createMockApp(options);
  return new LLMClient({
    baseUrl: "http://mock.invalid/v1",
    model: "mock",
    retryTimes: 0,
    // In process, without a port. For apps in other processes, use `startMockServer`.
    fetch: (url, init) => mock.fetch(new Request(url, init)),
  });
}

test("the model suggests the reply", async () => {
  const responses = [{ match: "invoice", text: "We will send the invoice today." }];
  await using client = mockedClient({ responses });
  const reply = await suggestReply(client, "Where is my invoice?");
  assert.equal(reply, "We will send the invoice today.");
});

test("a truncated reply ends with an ellipsis", async () => {
  await using client = mockedClient({ length: 5000 });
  assert.match(await suggestReply(client, "Hello"), /…$/);
});

test("without a model there is no suggestion, and no crash", async () => {
  await using client = mockedClient({ responses: [{ status: 503, text: "maintenance" }] });
  assert.equal(await suggestReply(client, "Hello"), "No suggestion (http).");
  await using busy = mockedClient({ errorRate: 1, errorKinds: ["rate_limit"] });
  assert.match(await suggestReply(busy, "Hello"), /^No suggestion \(\w+\)\.$/);
});
