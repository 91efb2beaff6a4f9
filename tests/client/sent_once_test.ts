/** No request is sent twice unless we retry it: the server would bill it twice. */
import assert from "node:assert/strict";
import { ConnectionError } from "../../lib/errors.ts";
import { LLMClient } from "../../lib/client/client.ts";
import { startDroppingServer } from "../support/dropping_server.ts";

const ANSWER =
  '{"choices":[{"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}]}';

for (const isStreamed of [false, true]) {
  const what = isStreamed ? "streamed" : "plain";
  Deno.test(`a ${what} request is sent once, also on a connection that is reused`, async () => {
    await using server = await startDroppingServer(ANSWER);
    const { baseUrl } = server;
    await using client = new LLMClient({ baseUrl, model: "m", retryTimes: 0 });
    const messages = [{ role: "user" as const, content: "hi" }];
    await client.chatCompletions(messages);
    const second = isStreamed
      ? Array.fromAsync(client.chatCompletionsStream(messages))
      : client.chatCompletions(messages);
    await assert.rejects(second, (error) => error instanceof ConnectionError && error.sent);
    assert.equal(server.requests(), 2);
  });
}
