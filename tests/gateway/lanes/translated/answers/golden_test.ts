/**
 * What each client receives for the answers of each provider: `*.txt` next to the fixtures of the repository.
 *
 * `FLEXLLM_UPDATE_GOLDEN=1 deno test -A tests/gateway/lanes/translated/answers/golden_test.ts` writes them again.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import fc from "fast-check";
import { FlexLLMError } from "../../../../../lib/errors.ts";
import { translateAnswer } from "../../../../../lib/gateway/lanes/translated/translate_answer.ts";
import { TranslatedStream } from "../../../../../lib/gateway/lanes/translated/translated_stream.ts";
import type { Scenario } from "./provider_traffic.ts";
import {
  callOf,
  CLIENTS,
  PROVIDERS,
  requestTo,
  type TestClient,
  type TestProvider,
} from "./translated_call.ts";
import { decodeEvent } from "../../../../support/decode_event.ts";

const FOLDER = new URL("../../../../fixtures/translated_answers/", import.meta.url);
const HEADERS = new Headers({ "content-type": "text/event-stream" });
const SCENARIOS = Object.keys(PROVIDERS[0].traffic) as Scenario[];

/** Sends a provider's stream through the lane in the given pieces. */
function translate(client: TestClient, provider: TestProvider, pieces: Iterable<Uint8Array>) {
  const stream = new TranslatedStream(callOf(client, true), requestTo(provider), HEADERS);
  const decoder = new TextDecoder();
  let text = "";
  const add = (bytes: Uint8Array | undefined) => text += decoder.decode(bytes, { stream: true });
  for (const piece of pieces) {
    add(stream.push(piece));
    if (stream.ended) break;
  }
  add(stream.end());
  return { stream, text: text.replace(/"(created|created_at|completed_at)":\d+/g, '"$1":1') };
}

function bytesOf(provider: TestProvider, scenario: Scenario): Uint8Array {
  return new TextEncoder().encode(provider.traffic[scenario].stream);
}

/** The provider's events, each in a piece of its own. */
function eventsOf(provider: TestProvider, scenario: Scenario): Uint8Array[] {
  return provider.traffic[scenario].stream.split(/(?<=\n\n)/)
    .map((event) => new TextEncoder().encode(event));
}

function plainAnswer(client: TestClient, provider: TestProvider, scenario: Scenario) {
  const body = provider.traffic[scenario].plain;
  if (body === undefined) return undefined;
  const answer = translateAnswer(callOf(client, false), requestTo(provider), {
    status: 200,
    headers: new Headers(),
    body,
  });
  const text = JSON.stringify(JSON.parse(answer.body), null, 2);
  return { answer, text: text.replace(/"(created|created_at|completed_at)": \d+/g, '"$1": 1') };
}

/** The whole golden text of a pair. */
function goldenOf(client: TestClient, provider: TestProvider): string {
  return SCENARIOS.map((scenario) => {
    const { text } = translate(client, provider, eventsOf(provider, scenario));
    const plain = plainAnswer(client, provider, scenario);
    return `==== ${scenario}, streamed\n${text}` +
      (plain === undefined ? "" : `==== ${scenario}, plain\n${plain.text}\n`);
  }).join("\n");
}

for (const client of CLIENTS) {
  for (const provider of PROVIDERS) {
    if (client.format === provider.format) continue;
    const pair = `${client.name}_from_${provider.name}`;
    Deno.test(`${pair}: every answer is the expected one`, () => {
      const actual = goldenOf(client, provider);
      const file = new URL(`${pair}.txt`, FOLDER);
      if (process.env.FLEXLLM_UPDATE_GOLDEN) {
        mkdirSync(FOLDER, { recursive: true });
        writeFileSync(file, actual);
      }
      assert.ok(existsSync(file), `${pair}.txt is missing`);
      assert.equal(actual, readFileSync(file, "utf8"));
    });

    Deno.test(`${pair}: the client decodes what the provider wrote, streamed and plain`, () => {
      for (const scenario of SCENARIOS) {
        const { stream, text } = translate(client, provider, [bytesOf(provider, scenario)]);
        const { received } = stream;
        const decoder = client.format.client.streamDecoder();
        const read = () => {
          const events = text.split("\n\n").flatMap((event) =>
            /^data: (.*)$/m.exec(event)?.[1] ?? []
          );
          return events.flatMap((data) => decodeEvent(decoder, data));
        };
        if (provider.traffic[scenario].plain === undefined) {
          // A broken stream never looks complete: its client gets an error.
          assert.ok(stream.failure instanceof FlexLLMError, scenario);
          assert.equal(stream.completed, undefined);
          assert.throws(read, FlexLLMError);
          assert.equal(decoder.complete && decoder.failure === undefined, false, scenario);
          assert.equal(received.content, "Grüße, Welt.");
          assert.ok(!text.includes("[DONE]"));
          continue;
        }
        const written = read();
        assert.ok(decoder.complete, scenario);
        assert.equal(stream.failure, undefined);
        const texts = (type: string) =>
          written.map((event) => event.type === type && "text" in event ? event.text : "").join("");
        assert.equal(texts("text"), received.refusal === null ? received.content : "");
        assert.equal(texts("thinking"), received.thinking ?? "");
        assert.equal(texts("refusal"), received.refusal ?? "");
        const finish = written.findLast((event) => event.type === "finish");
        assert.deepEqual(finish, { type: "finish", finishReason: received.finishReason });
        const usage = written.findLast((event) => event.type === "usage");
        assert.equal(usage?.usage.promptTokens, 100);
        assert.equal(usage?.usage.completionTokens, 20);

        const { answer, text: body } = plainAnswer(client, provider, scenario)!;
        const decoded = client.format.client.decode(JSON.parse(body));
        assert.deepEqual(decoded.toolCalls, answer.completion.toolCalls);
        assert.equal(decoded.content, answer.completion.content);
        assert.equal(decoded.thinking, answer.completion.thinking);
        assert.equal(decoded.refusal, answer.completion.refusal);
        assert.equal(decoded.finishReason, answer.completion.finishReason);
        assert.equal(decoded.usage?.promptTokens, 100);
      }
    });

    Deno.test(`${pair}: the chunks of the network make no difference`, () => {
      fc.assert(
        fc.property(
          fc.constantFrom(...SCENARIOS),
          fc.infiniteStream(fc.integer({ min: 1, max: 700 })),
          (scenario, sizes) => {
            const bytes = bytesOf(provider, scenario);
            const pieces: Uint8Array[] = [];
            for (let start = 0; start < bytes.length;) {
              const size = sizes.next().value!;
              pieces.push(bytes.subarray(start, start += size));
            }
            const whole = translate(client, provider, [bytes]);
            assert.equal(
              withoutFirstUsage(translate(client, provider, pieces).text),
              withoutFirstUsage(whole.text),
            );
          },
        ),
        { numRuns: 40 },
      );
    });
  }
}

/** The stream without the usage at its start, which is counted only if it came together with the first content. */
function withoutFirstUsage(text: string): string {
  return text.replace(/("type":"message_start".*?"usage":)\{.*\}\}\}/, "$1{}");
}
