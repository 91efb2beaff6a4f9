/** Options of clients and calls: seconds, and the notice of a retry. */
import assert from "node:assert/strict";
import { LLMClient, LLMClientPool, type Message, type RetryNotice } from "../../mod.ts";

const HELLO: Message[] = [{ role: "user", content: "Hello" }];
const MOCK = { provider: "mock", model: "mock" } as const;
const HINT = "Times are in seconds, not milliseconds.";

Deno.test("times above a day are refused as milliseconds", async () => {
  for (const name of ["timeout", "retryDelay"]) {
    assert.throws(() => new LLMClient({ ...MOCK, [name]: 120_000 }), {
      code: "configuration",
      message: new RegExp(`^${name}: expected seconds, .*got 120000$`),
      hint: HINT,
    });
    new LLMClient({ ...MOCK, [name]: 86_400 });
  }
  const endpoints = [MOCK];
  assert.throws(() => new LLMClientPool({ endpoints, recoveryTime: 60_000_000 }), { hint: HINT });
  new LLMClientPool({ endpoints, recoveryTime: 86_400 });
  await using client = new LLMClient(MOCK);
  await assert.rejects(client.chatCompletions(HELLO, { timeout: 90_000 }), {
    message: "timeout: expected seconds, above 0 and up to 86400 (a day), got 90000",
    hint: HINT,
  });
  await assert.rejects(client.models({ timeout: 90_000 }), { hint: HINT });
});

Deno.test("waits and cache lifetimes may be longer than a day", () => {
  const week = 7 * 86_400;
  new LLMClient({ ...MOCK, maxWait: week, cache: { store: "memory", ttl: week } });
  assert.throws(() => new LLMClient({ ...MOCK, maxWait: 3_000_000 }), { hint: HINT });
  assert.throws(() => new LLMClient({ ...MOCK, timeout: 0 }), /above 0/);
});

/** A client whose server rejects the first request of each question. */
function flakyClient() {
  const seen = new Set<string>();
  return new LLMClient({
    baseUrl: "http://host.invalid/v1",
    model: "m",
    retryDelay: 0.001,
    fetch: (_url, { body }) => {
      const question = JSON.parse(String(body)).messages[0].content;
      if (!seen.has(question)) {
        seen.add(question);
        return Promise.resolve(new Response("busy", { status: 503 }));
      }
      const choices = [{ message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }];
      return Promise.resolve(Response.json({ choices }));
    },
  });
}

Deno.test("onRetry is called before the wait for a retry, in calls, streams and batches", async () => {
  await using client = flakyClient();
  const notices: RetryNotice[] = [];
  const onRetry = (notice: RetryNotice) => void notices.push(notice);
  const userMessage = (content: string): Message[] => [{ role: "user", content }];
  await client.chatCompletions(userMessage("plain"), { onRetry });
  assert.equal(notices.length, 1);
  assert.match(String(notices[0].error), /503/);
  assert.equal(notices[0].failures, 1);
  assert.ok(notices[0].wait <= 0.001);

  await client.chatCompletionsBatch([userMessage("a"), userMessage("b")], { onRetry });
  assert.equal(notices.length, 3);
  const stream = flakyClient().chatCompletionsStream(userMessage("streamed"), { onRetry });
  await stream.finalResult().catch(() => {});
  assert.equal(notices.length, 4);
});
