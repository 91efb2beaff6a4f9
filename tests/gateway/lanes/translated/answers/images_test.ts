/** Images that a model draws reach the clients whose format has images in answers. */
import assert from "node:assert/strict";
import { translatedLane } from "../../../../../lib/gateway/lanes/translated/translated.ts";
import { asObject, asObjects, type Json } from "../../../../../lib/json/json.ts";
import {
  callOf,
  CLIENTS,
  PROVIDERS,
  requestTo,
  type TestClient,
  type TestProvider,
} from "./translated_call.ts";

const [CHAT, RESPONSES, CLAUDE, GEMINI] = CLIENTS;
const [FROM_CHAT, , , FROM_GEMINI] = PROVIDERS;
const HEADERS = new Headers({ "content-type": "text/event-stream" });

const GEMINI_ANSWER = {
  candidates: [{
    content: {
      role: "model",
      parts: [
        { text: "Here." },
        { inlineData: { mimeType: "image/png", data: "AAAA" }, thoughtSignature: "sig" },
      ],
    },
    finishReason: "STOP",
  }],
};
const IMAGES = [{ type: "image_url", image_url: { url: "data:image/png;base64,BBBB" } }];

function chatAnswer(field: "message" | "delta"): Json {
  const message = { role: "assistant", content: "Here.", images: IMAGES };
  return { id: "c", choices: [{ index: 0, [field]: message, finish_reason: "stop" }] };
}

function plain(client: TestClient, provider: TestProvider, body: Json) {
  const call = callOf(client, false);
  const whole = { status: 200, headers: new Headers(), body: JSON.stringify(body) };
  const answer = translatedLane.answer(call, requestTo(provider), whole);
  return { body: JSON.parse(answer.body) as Json, dropped: [...call.dropped] };
}

function streamed(client: TestClient, provider: TestProvider, body: Json): Json[] {
  const stream = translatedLane.stream(callOf(client, true), requestTo(provider), HEADERS);
  const sent = new TextEncoder().encode(`data: ${JSON.stringify(body)}\n\n`);
  const text = [stream.push(sent), stream.end()].map((part) => new TextDecoder().decode(part));
  return [...text.join("").matchAll(/^data: (\{.*)$/mg)].map(([, data]) => JSON.parse(data));
}

Deno.test("an image of Gemini in a chat message, plain and streamed", () => {
  const expected = [{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }];
  const { body, dropped } = plain(CHAT, FROM_GEMINI, GEMINI_ANSWER);
  const message = asObject(asObjects(body.choices)[0].message)!;
  assert.deepEqual([message.content, message.images], ["Here.", expected]);
  assert.deepEqual(dropped, []);
  const deltas = streamed(CHAT, FROM_GEMINI, GEMINI_ANSWER)
    .flatMap(({ choices }) => asObjects(choices).map(({ delta }) => asObject(delta)!));
  assert.deepEqual(deltas.flatMap(({ images }) => images ?? []), expected);
});

Deno.test("an image of a chat provider in Gemini's parts, plain and streamed", () => {
  const expected = [{ inlineData: { mimeType: "image/png", data: "BBBB" } }];
  const imagesOf = (bodies: readonly Json[]) =>
    bodies.flatMap(({ candidates }) => asObjects(candidates))
      .flatMap(({ content }) => asObjects(asObject(content)?.parts))
      .filter(({ inlineData }) => inlineData !== undefined);
  assert.deepEqual(imagesOf([plain(GEMINI, FROM_CHAT, chatAnswer("message")).body]), expected);
  assert.deepEqual(imagesOf(streamed(GEMINI, FROM_CHAT, chatAnswer("delta"))), expected);
});

Deno.test("clients without images in answers get the text, and the images are named as dropped", () => {
  for (const client of [RESPONSES, CLAUDE]) {
    const { body, dropped } = plain(client, FROM_GEMINI, GEMINI_ANSWER);
    assert.ok(JSON.stringify(body).includes("Here."));
    assert.deepEqual(dropped, ["images"]);
  }
});
