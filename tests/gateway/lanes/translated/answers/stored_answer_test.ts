/** Answers of the cache are those that the client received first, signatures included. */
import assert from "node:assert/strict";
import type { ChatResult } from "../../../../../lib/chat/result.ts";
import { resultOf } from "../../../../../lib/client/attempt.ts";
import {
  isRepeatable,
  storedBody,
} from "../../../../../lib/gateway/lanes/translated/stored_answer.ts";
import { translatedLane } from "../../../../../lib/gateway/lanes/translated/translated.ts";
import type { Completion } from "../../../../../lib/protocols/protocol.ts";
import {
  callOf,
  CLIENTS,
  PROVIDERS,
  requestTo,
  type TestClient,
  type TestProvider,
} from "./translated_call.ts";
import { decodeEvent } from "../../../../support/decode_event.ts";

function answerOf(client: TestClient, provider: TestProvider) {
  const headers = new Headers();
  const whole = { status: 200, headers, body: provider.traffic.tools.plain! };
  return translatedLane.answer(callOf(client, false), requestTo(provider), whole);
}

/** A result as it comes back from the cache. */
function stored(provider: TestProvider, completion: Completion, raw: unknown): ChatResult {
  const { endpoint } = requestTo(provider);
  const request = { model: provider.model, messages: [], options: {}, stream: false };
  const result = resultOf({ endpoint, request }, { completion, raw }, null, 0);
  return JSON.parse(JSON.stringify(result));
}

const withoutTime = (text: string) => text.replace(/"(created|created_at|completed_at)":\d+/g, "");

for (const client of CLIENTS) {
  for (const provider of PROVIDERS) {
    if (client.format === provider.format) continue;
    Deno.test(`${client.name} from ${provider.name}: a stored answer is the same, plain and streamed`, () => {
      const { body, completion, raw } = answerOf(client, provider);
      const result = stored(provider, completion, raw);
      assert.equal(withoutTime(storedBody(callOf(client, false), result)), withoutTime(body));

      const call = callOf(client, true);
      assert.ok(isRepeatable(call, result));
      const text = storedBody(call, result);
      const decoder = client.format.client.streamDecoder();
      for (const [, data] of text.matchAll(/^data: (.*)$/mg)) decodeEvent(decoder, data);
      assert.ok(decoder.complete);
      const [envelope] = /flexllm1\.[\w-]+/.exec(body)!;
      assert.ok(text.includes(envelope));
    });
  }
}

Deno.test("a stream cannot repeat an answer whose signatures belong to its own format", () => {
  const [, , claude] = CLIENTS;
  const provider = PROVIDERS.find(({ format }) => format === claude.format)!;
  const completion = provider.format.client.decode(JSON.parse(provider.traffic.tools.plain!));
  const signed = stored(provider, completion, {});
  assert.equal(isRepeatable(callOf(claude, true), signed), false);
  assert.ok(isRepeatable(callOf(claude, false), signed));
  const plain = provider.format.client.decode(JSON.parse(provider.traffic.text.plain!));
  assert.ok(isRepeatable(callOf(claude, true), stored(provider, plain, {})));
});
