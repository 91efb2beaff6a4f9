/** What a gateway loads when it is first needed. */
import assert from "node:assert/strict";
import { createGatewayApp, LLMClientPool } from "../../mod.ts";
import { openaiChat } from "../../lib/protocols/openai_chat/openai_chat.ts";

Deno.test("a format that could not be loaded is loaded for a later request", async () => {
  const pool = new LLMClientPool({ endpoints: [{ baseUrl: "http://127.0.0.1:1/v1", model: "m" }] });
  const { serve } = openaiChat;
  openaiChat.serve = () => Promise.reject(new Error("EMFILE: too many open files"));
  await using app = createGatewayApp(pool);
  const statuses: number[] = [];
  const send = async () => statuses.push((await app.request("/v1/models")).status);
  try {
    await send();
  } finally {
    openaiChat.serve = serve;
  }
  await send();
  assert.deepEqual(statuses, [500, 200]);
});
