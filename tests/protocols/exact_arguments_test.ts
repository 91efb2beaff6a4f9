/** Arguments of tool calls preserve numbers that a double cannot represent. */
import assert from "node:assert/strict";
import { extraBody } from "../../commands/flags/extra_body.ts";
import { type Fetch, LLMClient } from "../../mod.ts";

const HELLO = [{ role: "user", content: "Hello" }] as const;
const ARGUMENTS = '{"id":1669700650467246081,"price":1.10,"huge":1e400}';
const TOOLS = [{ type: "function", function: { name: "f" } }] as const;

const GEMINI =
  `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":${ARGUMENTS}}}]},` +
  `"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1.0,"candidatesTokenCount":2}}`;
const CLAUDE =
  `{"type":"message","model":"m","stop_reason":"tool_use","content":[{"type":"tool_use",` +
  `"id":"toolu_1","name":"f","input":${ARGUMENTS}}],"usage":{"input_tokens":1.0,"output_tokens":2}}`;

for (const [provider, body] of [["claude", CLAUDE], ["gemini", GEMINI]] as const) {
  Deno.test(`${provider} round-trips the numbers of tool calls unchanged`, async () => {
    const sent: string[] = [];
    const fetch: Fetch = (url, init) => {
      sent.push(String(init.body));
      return Promise.resolve(
        url.includes("stream")
          ? new Response(`data: ${body}\n\n`, { headers: { "content-type": "text/event-stream" } })
          : new Response(body, { headers: { "content-type": "application/json" } }),
      );
    };
    await using client = new LLMClient({ provider, model: "m", apiKey: "k", fetch });
    const options = { tools: [...TOOLS] };
    const results = [await client.chatCompletions(HELLO, options)];
    if (provider === "gemini") {
      results.push(await client.chatCompletionsStream(HELLO, options).finalResult());
    }
    for (const { toolCalls, usage, message } of results) {
      assert.equal(toolCalls[0].function.arguments, ARGUMENTS);
      assert.equal(usage?.promptTokens, 1);
      const answer = { role: "tool", tool_call_id: toolCalls[0].id, content: "ok" } as const;
      await client.chatCompletions([...HELLO, message, answer], options);
      assert.ok(sent.at(-1)!.includes(ARGUMENTS), `${sent.at(-1)}`);
    }
  });
}

Deno.test("--extra-body sends numbers unchanged", () => {
  const body = extraBody("top.seed=1669700650467246081", extraBody('{"scale": 1.10}'));
  assert.equal(JSON.stringify(body), '{"scale":1.10,"top":{"seed":1669700650467246081}}');
});
