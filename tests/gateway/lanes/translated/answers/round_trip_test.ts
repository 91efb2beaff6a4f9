/** A provider's signatures come back to it unchanged in the history of a client that speaks another format. */
import assert from "node:assert/strict";
import type { Message } from "../../../../../lib/chat/messages.ts";
import type { ToolCall } from "../../../../../lib/chat/tool_call.ts";
import { translatedLane } from "../../../../../lib/gateway/lanes/translated/translated.ts";
import { asObject, asObjects, type Json } from "../../../../../lib/json/json.ts";
import { ENVELOPE_PREFIX } from "../../../../../lib/protocols/envelope.ts";
import { endpoint, GEMINI } from "../../../../support/serve_formats.ts";
import { StreamAccumulator } from "../../../../../lib/chat/events.ts";
import { CLAUDE_SIGNATURE, GEMINI_SIGNATURE, OPENAI_ENCRYPTED } from "./provider_traffic.ts";
import {
  callOf,
  CLIENTS,
  PROVIDERS,
  requestTo,
  type TestClient,
  type TestProvider,
} from "./translated_call.ts";
import { decodeEvent } from "../../../../support/decode_event.ts";

type Turn = "thinking" | "tools";

/** The assistant message of a client that keeps all that it received. */
function received(
  client: TestClient,
  provider: TestProvider,
  turn: Turn,
  stream: boolean,
): Message & { role: "assistant" } {
  const call = callOf(client, stream);
  const request = requestTo(provider);
  const { stream: body, plain } = provider.traffic[turn];
  const headers = new Headers({ "content-type": "text/event-stream" });
  if (!stream) {
    const { body } = translatedLane.answer(call, request, { status: 200, headers, body: plain! });
    const { content, toolCalls, providerMessage } = client.format.client.decode(JSON.parse(body));
    return message(content, toolCalls, providerMessage);
  }
  const lane = translatedLane.stream(call, request, headers);
  const bytes = [lane.push(new TextEncoder().encode(body)), lane.end()];
  const text = bytes.map((part) => new TextDecoder().decode(part)).join("");
  const decoder = client.format.client.streamDecoder();
  const total = new StreamAccumulator();
  for (const [, data] of text.matchAll(/^data: (.*)$/mg)) {
    for (const event of decodeEvent(decoder, data)) total.add(event);
  }
  return message(total.content, total.toolCalls, decoder.providerMessage());
}

function message(
  content: string,
  calls: ToolCall[],
  providerMessage: (Message & { role: "assistant" })["providerMessage"],
): Message & { role: "assistant" } {
  return {
    role: "assistant",
    content,
    ...calls.length > 0 && { tool_calls: calls },
    providerMessage,
  };
}

/** The next request of the client, with the answer in its history. */
function nextBody(client: TestClient, answer: Message & { role: "assistant" }): Json {
  const next: Message[] = answer.tool_calls?.map((call): Message => ({
    role: "tool",
    tool_call_id: call.id,
    content: `result of ${call.function.name}`,
  })) ?? [{ role: "user", content: "Why?" }];
  const encoded = client.format.client.encoder(endpoint())({
    model: "smart",
    messages: [{ role: "user", content: "Hi" }, answer, ...next],
    options: { maxTokens: 1000 },
    stream: false,
  });
  const { messages, input, contents } = JSON.parse(encoded.body!);
  return client.format === GEMINI ? { contents } : messages ? { messages } : { input };
}

/** What the provider's own client would send back of the message. */
const EXPECTED: Record<string, (body: Json, turn: Turn) => void> = {
  claude({ messages }) {
    const answer = asObjects(messages).find(({ role }) => role === "assistant")!;
    assert.deepEqual(asObjects(answer.content)[0], {
      type: "thinking",
      thinking: "Let me see.",
      signature: CLAUDE_SIGNATURE,
    });
  },
  responses({ input }) {
    const items = asObjects(input).filter(({ type }) => type === "reasoning");
    assert.deepEqual(items.map(({ encrypted_content }) => encrypted_content), [OPENAI_ENCRYPTED]);
  },
  gemini({ contents }, turn) {
    const answer = asObjects(contents).find(({ role }) => role === "model")!;
    const signed = asObjects(answer.parts).filter((part) => part.thoughtSignature !== undefined);
    assert.deepEqual(signed.map(({ thoughtSignature }) => thoughtSignature), [GEMINI_SIGNATURE]);
    const call = asObject(signed[0].functionCall);
    if (turn === "tools") assert.equal(call?.name, "weather");
    else assert.equal(signed[0].text, "");
  },
  chat({ messages }, turn) {
    const answer = asObjects(messages).find(({ role }) => role === "assistant")!;
    // DeepSeek needs it back in tool loops only.
    if (turn === "tools") assert.equal(answer.reasoning_content, "Two calls.");
  },
};

for (const client of CLIENTS) {
  for (const provider of PROVIDERS) {
    if (client.format === provider.format) continue;
    // Anthropic's clients take the last block as the answer's text, so only answers with calls have an envelope.
    const turns = client.name === "claude" ? ["tools"] as const : ["thinking", "tools"] as const;
    for (const turn of turns) {
      for (const stream of [false, true]) {
        const how = stream ? "streamed" : "plain";
        Deno.test(`${client.name} to ${provider.name} and back, ${turn}, ${how}`, () => {
          const answer = received(client, provider, turn, stream);
          const call = callOf(client, stream, nextBody(client, answer));
          const { endpoint } = requestTo(provider);
          const { encoded } = translatedLane.encode(call, endpoint);
          assert.ok(!encoded.body!.includes(ENVELOPE_PREFIX));
          EXPECTED[provider.name](JSON.parse(encoded.body!), turn);
          // Another model never gets the signatures.
          const other = requestTo({ ...provider, model: `${provider.model}-2` });
          const foreign = translatedLane.encode(
            callOf(client, stream, nextBody(client, answer)),
            other.endpoint,
          );
          for (const secret of [CLAUDE_SIGNATURE, OPENAI_ENCRYPTED, ENVELOPE_PREFIX]) {
            assert.ok(!foreign.encoded.body!.includes(secret));
          }
        });
      }
    }
  }
}
