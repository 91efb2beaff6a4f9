/** A conversation that moves to an endpoint of the client's own format leaves foreign envelopes behind. */
import assert from "node:assert/strict";
import { laneOf } from "../../../../../lib/gateway/lane_choice.ts";
import { translateAnswer } from "../../../../../lib/gateway/lanes/translated/translate_answer.ts";
import {
  ENVELOPE_PREFIX,
  envelopeOrigin,
  writeEnvelope,
} from "../../../../../lib/protocols/envelope.ts";
import { callOf, CLIENTS, PROVIDERS, requestTo } from "./translated_call.ts";

const [, RESPONSES, CLAUDE] = CLIENTS;
const OWN = PROVIDERS.find(({ name }) => name === "claude")!;

Deno.test("envelopes of another provider never reach an endpoint of the client's format", () => {
  const content = [{ text: "Hi", thoughtSignature: "sig" }];
  const data = writeEnvelope(
    { format: "gemini", content },
    envelopeOrigin("https://g", "gemini-3"),
  );
  const messages = [
    { role: "user", content: "Hi" },
    {
      role: "assistant",
      content: [{ type: "text", text: "Hello." }, { type: "redacted_thinking", data }],
    },
    { role: "user", content: "Why?" },
  ];
  const { endpoint } = requestTo(OWN);
  const moved = callOf(CLAUDE, true, { messages });
  const lane = laneOf(moved, endpoint);
  assert.equal(lane.name, "translated");
  const { encoded } = lane.encode(moved, endpoint);
  assert.ok(!encoded.body!.includes(ENVELOPE_PREFIX));
  assert.ok(encoded.body!.includes("Hello."));
  assert.equal(laneOf(callOf(CLAUDE, true), endpoint).name, "native");
});

Deno.test("thinking of another provider never reaches Anthropic, which would miss its signature", () => {
  const { endpoint } = requestTo(OWN);
  const turn = (signature: string) => ({
    messages: [
      { role: "user", content: "Hi" },
      {
        role: "assistant",
        content: [{ type: "thinking", thinking: "Secret.", signature }, {
          type: "text",
          text: "Hello.",
        }],
      },
      { role: "user", content: 'What does "signature":"" mean?' },
    ],
  });
  const moved = callOf(CLAUDE, true, turn(""));
  const { encoded } = laneOf(moved, endpoint).encode(moved, endpoint);
  assert.doesNotMatch(encoded.body!, /Secret/);
  assert.match(encoded.body!, /Hello\./);
  assert.equal(laneOf(callOf(CLAUDE, true, turn("signed")), endpoint).name, "native");
});

Deno.test("reasoning of another provider never reaches OpenAI, which would not find it", () => {
  const openai = PROVIDERS.find(({ name }) => name === "responses")!;
  const chat = PROVIDERS.find(({ name }) => name === "chat")!;
  const first = callOf(RESPONSES, false);
  const answer = translateAnswer(first, requestTo(chat), {
    status: 200,
    headers: new Headers(),
    body: chat.traffic.thinking.plain!,
  });
  const { output } = JSON.parse(answer.body);
  assert.equal(output[0].type, "reasoning");
  const input = [{ role: "user", content: "Hi" }, ...output, { role: "user", content: "Why?" }];
  const moved = callOf(RESPONSES, true, { input });
  const { endpoint } = requestTo(openai);
  const { encoded } = laneOf(moved, endpoint).encode(moved, endpoint);
  const sent = JSON.parse(encoded.body!).input;
  assert.ok(sent.every(({ type }: { type?: string }) => type !== "reasoning"));
});
