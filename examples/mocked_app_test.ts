/**
 * Tests of an app of one's own, with the mock in the place of the model: the answers are prepared, every
 * kind of trouble can be had, and no test needs a key or a network.
 *
 *     deno test -A examples/mocked_app_test.ts
 */
import assert from "node:assert/strict";
import {
  type ChatClient,
  createMockApp,
  FlexLLMError,
  LLMClient,
  type MockOptions,
} from "@flexllm/flexllm";

// The app. It takes its client, so that a test can give it another one.

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

// Its tests.

function mockedClient(options: MockOptions): LLMClient {
  const mock = createMockApp(options);
  return new LLMClient({
    baseUrl: "http://mock.invalid/v1",
    model: "mock",
    retryTimes: 0,
    // In process: no port is opened. `startMockServer` opens one, for apps in other processes.
    fetch: (url, init) => mock.fetch(new Request(url, init)),
  });
}

Deno.test("a mail gets the reply that the model suggests", async () => {
  const responses = [{ match: "invoice", text: "We will send the invoice today." }];
  await using client = mockedClient({ responses });
  const reply = await suggestReply(client, "Where is my invoice?");
  assert.equal(reply, "We will send the invoice today.");
});

Deno.test("a reply that was cut shows that it was", async () => {
  await using client = mockedClient({ length: 5000 });
  assert.match(await suggestReply(client, "Hello"), /…$/);
});

Deno.test("without a model there is no suggestion, and no crash", async () => {
  await using client = mockedClient({ responses: [{ status: 503, text: "maintenance" }] });
  assert.equal(await suggestReply(client, "Hello"), "No suggestion (http).");
  await using busy = mockedClient({ errorRate: 1, errorKinds: ["rate_limit"] });
  assert.match(await suggestReply(busy, "Hello"), /^No suggestion \(\w+\)\.$/);
});
