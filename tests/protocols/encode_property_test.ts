/** Each wire format encodes every conversation that we accept to a valid request. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { messagesProblem } from "../../lib/chat/messages.ts";
import { anthropic as anthropicMock } from "../../lib/mock/anthropic.ts";
import { gemini as mockGemini } from "../../lib/mock/gemini.ts";
import { openaiChat as openaiChatMock } from "../../lib/mock/openai_chat.ts";
import { openaiResponses as openaiResponsesMock } from "../../lib/mock/openai_responses.ts";
import { openaiChat } from "../../lib/protocols/openai_chat/openai_chat.ts";
import { anthropic } from "../../lib/protocols/anthropic/anthropic.ts";
import { gemini } from "../../lib/protocols/gemini/gemini.ts";
import { openaiResponses } from "../../lib/protocols/openai_responses/openai_responses.ts";
import type { Message } from "../../mod.ts";

const FORMATS = [
  { provider: openaiChat, mock: openaiChatMock, model: "qwen3" },
  { provider: openaiResponses, mock: openaiResponsesMock, model: "gpt-6-sol" },
  { provider: anthropic, mock: anthropicMock, model: "claude-opus-5" },
  { provider: gemini, mock: mockGemini, model: "gemini-3-flash" },
];

// Half characters too: truncated texts have them.
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

for (const { provider, mock, model } of FORMATS) {
  Deno.test(`${provider.name}: every conversation we accept is a valid request`, () => {
    const encode = provider.encoder({ baseUrl: "https://host/v1", apiKey: undefined, headers: {} });
    fc.assert(fc.property(conversation, fc.boolean(), (messages, stream) => {
      assert.equal(messagesProblem(messages), undefined);
      const before = JSON.stringify(messages);
      const { body } = encode({ model, messages, options: {}, stream });
      assert.equal(JSON.stringify(messages), before, "the caller's messages are not changed");
      const read = mock.read(JSON.parse(body!), { model, stream });
      assert.ok(!("status" in read), JSON.stringify(read));
      assert.equal(read.stream, stream);
      const turns = JSON.parse(body!)[provider === gemini ? "contents" : "messages"];
      if (provider !== anthropic && provider !== gemini) return;
      for (const turn of turns) assert.ok((turn.content ?? turn.parts).length > 0);
      for (let i = 1; i < turns.length; i++) assert.notEqual(turns[i].role, turns[i - 1].role);
    }));
  });
}
