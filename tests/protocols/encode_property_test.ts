/** Every conversation that the library accepts becomes a valid request in each wire format. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { messagesProblem } from "../../lib/chat/messages.ts";
import { openaiChat } from "../../lib/protocols/openai_chat/openai_chat.ts";
import { anthropic } from "../../lib/protocols/anthropic/anthropic.ts";
import { gemini } from "../../lib/protocols/gemini/gemini.ts";
import { openaiResponses } from "../../lib/protocols/openai_responses/openai_responses.ts";
import type { RequestContext } from "../../lib/protocols/serve.ts";
import type { Message } from "../../mod.ts";

const FORMATS = [
  { protocol: openaiChat, model: "qwen3" },
  { protocol: openaiResponses, model: "gpt-6-sol" },
  { protocol: anthropic, model: "claude-opus-5" },
  { protocol: gemini, model: "gemini-3-flash" },
];

// Lone surrogates, too: truncated texts contain them.
const text = fc.string({ unit: "binary", minLength: 1 });
const textPart = fc.record({ type: fc.constant("text" as const), text });
const imagePart = fc.record({
  type: fc.constant("image_url" as const),
  image_url: fc.record({
    url: fc.constantFrom("data:image/png;base64,QUJD", "https://host/a.png"),
  }),
});
const system = fc.record({
  role: fc.constantFrom("system" as const, "developer" as const),
  content: fc.oneof(text, fc.array(textPart, { minLength: 1 })),
});
const user = fc.record({
  role: fc.constant("user" as const),
  content: fc.oneof(text, fc.array(fc.oneof(textPart, imagePart), { minLength: 1 })),
});
const said = fc.record({
  role: fc.constant("assistant" as const),
  content: fc.oneof(text, fc.constant(""), fc.constant(null)),
});
/** A turn with calls, and the results of all of them. */
const toolTurn = fc.record({
  content: fc.option(text),
  calls: fc.array(fc.tuple(fc.json(), text), { minLength: 1, maxLength: 3 }),
  id: fc.uuid(),
}).map(({ content, calls, id }): Message[] => [
  {
    role: "assistant",
    content,
    tool_calls: calls.map(([json], i) => ({
      id: `${id}${i}`,
      type: "function",
      function: { name: `f${i}`, arguments: json },
    })),
  },
  ...calls.map(([, result], i): Message => ({
    role: "tool",
    tool_call_id: `${id}${i}`,
    content: result,
  })),
]);
const conversation = fc.tuple(
  fc.array(system, { maxLength: 2 }),
  user,
  fc.array(fc.oneof(user.map((m): Message[] => [m]), said.map((m): Message[] => [m]), toolTurn), {
    maxLength: 6,
  }),
).map(([systems, first, rest]): Message[] => [...systems, first, ...rest.flat()]);

for (const { protocol, model } of FORMATS) {
  Deno.test(`${protocol.name}: every accepted conversation becomes a valid request`, async () => {
    const server = await protocol.serve!();
    const encode = protocol.encoder({ baseUrl: "https://host/v1", apiKey: undefined, headers: {} });
    fc.assert(fc.property(conversation, fc.boolean(), (messages, stream) => {
      assert.equal(messagesProblem(messages), undefined);
      const before = JSON.stringify(messages);
      const { body } = encode({ model, messages, options: {}, stream });
      assert.equal(JSON.stringify(messages), before, "the caller's messages are not changed");
      const parsed = JSON.parse(body!);
      const context: RequestContext = { operation: "chat", model, stream };
      const normalized = server.normalize?.(parsed, context) ?? parsed;
      assert.equal(server.validate(normalized, context), undefined);
      const { chat } = server.decodeRequest(normalized, context);
      assert.equal(chat.stream, stream);
      assert.deepEqual(JSON.parse(encode(chat).body!), parsed, "decoding loses nothing");
      if (protocol !== anthropic && protocol !== gemini) return;
      const turns = parsed[protocol === gemini ? "contents" : "messages"];
      for (const turn of turns) assert.ok((turn.content ?? turn.parts).length > 0);
      for (let i = 1; i < turns.length; i++) assert.notEqual(turns[i].role, turns[i - 1].role);
    }));
  });
}
