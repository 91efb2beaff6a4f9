/** A conversation that moves to an endpoint of the client's own format leaves foreign envelopes behind. */
import assert from "node:assert/strict";
import { laneOf } from "../../../../../lib/gateway/lane_choice.ts";
import {
  ENVELOPE_PREFIX,
  envelopeOrigin,
  writeEnvelope,
} from "../../../../../lib/protocols/envelope.ts";
import { callOf, CLIENTS, PROVIDERS, requestTo } from "./translated_call.ts";

const [, , CLAUDE] = CLIENTS;
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
