import assert from "node:assert/strict";
import fc from "fast-check";
import type { StreamEvent } from "../../lib/chat/events.ts";
import type { Json } from "../../lib/json/json.ts";
import { openaiChat } from "../../lib/protocols/openai_chat/openai_chat.ts";
import { TextTemplate } from "../../lib/protocols/text_template.ts";
import { decodeEvent } from "../support/decode_event.ts";

function textOf({ text }: Json): string | undefined {
  return typeof text === "string" && text !== "" ? text : undefined;
}

/** A template that has learned `data`. */
function learned(data: string): TextTemplate {
  const template = new TextTemplate();
  template.learn(data, JSON.parse(data), textOf);
  return template;
}

Deno.test("an event that differs in its text alone is read without parsing", () => {
  const template = learned('{"id":1,"text":" Hello","more":null}');
  const texts = [" Hello", "a", '\\n\\"\\u00e9', "日本 🤔", "{}"];
  for (const text of texts) {
    const data = `{"id":1,"text":"${text}","more":null}`;
    assert.equal(template.match(data), JSON.parse(data).text);
  }
});

Deno.test("every other event has to be parsed", () => {
  const template = learned('{"id":1,"text":"Hello","more":null}');
  const others = [
    '{"id":2,"text":"a","more":null}',
    '{"id":1,"text":"a","more":0}',
    '{"id":1,"text":"","more":null}',
    '{"id":1,"text":"a","text":"b","more":null}',
    '{"id":1,"text":"a\tb","more":null}',
    '{"id":1,"text":"a\\","more":null}',
    '{"id":1,"text":","more":null}',
    "",
  ];
  for (const data of others) assert.equal(template.match(data), undefined, data);
  template.clear();
  assert.equal(template.match('{"id":1,"text":"Hello","more":null}'), undefined);
});

Deno.test("characters that only look like the text are not taken for it", () => {
  const twins = ['{"noise":"abc","text":"\\u0061bc"}', '{"text":"abc","text":"\\u0061bc"}'];
  twins.push('{"id":"1","text":","}', '{"id":":","text":":"}', '{"text":{"text":"a"},"text":":"}');
  for (const text of ["-", "flexllm-probe"]) twins.push(`{"text":"${text}","text":"${text}"}`);
  for (const data of twins) assert.equal(learned(data).match(data), undefined, data);
});

Deno.test("events that always differ are not learned for long", () => {
  const template = new TextTemplate();
  let parsed = 0;
  for (let id = 0; id < 100; id++) {
    template.clear();
    const data = `{"id":${id},"text":"a"}`;
    template.learn(data, JSON.parse(data), (event) => {
      parsed++;
      return textOf(event);
    });
  }
  assert.ok(parsed < 20, `${parsed}`);
});

/** Chunks of Chat Completions, of which many are alike. */
const chunks = fc.array(
  fc.record({
    content: fc.constantFrom(
      ...[undefined, null, "", "a", " b", "<think>", "</think>", '"', "\n", "stop", "m", ",", ":"],
    ),
    extra: fc.constantFrom<Json>(
      ...Array(8).fill({}),
      { reasoning_content: "m" },
      { refusal: "no" },
      { tool_calls: [{ index: 0, function: { name: "f", arguments: "{}" } }] },
      { annotations: [{ type: "url_citation", url: "a" }] },
    ),
    rest: fc.constantFrom<Json>(
      ...Array(8).fill({}),
      { usage: { prompt_tokens: 1, completion_tokens: 2 } },
      { service_tier: "flex" },
      { citations: ["https://example.com"] },
    ),
    choice: fc.constantFrom<Json>(
      ...Array(8).fill({}),
      { index: 1 },
      { finish_reason: "stop" },
      { finish_reason: "error" },
      { logprobs: { content: [{ token: "a", logprob: -1 }] } },
    ),
  }),
  { maxLength: 30 },
);

/** Everything that a decoder makes of the events. */
function decoded(events: readonly string[]): unknown[] {
  const decoder = openaiChat.streamDecoder();
  const all: (StreamEvent[] | string)[] = [];
  for (const data of events) {
    try {
      all.push(decodeEvent(decoder, data));
    } catch (error) {
      all.push(String(error));
    }
  }
  const { complete, ended, model, cost, serviceTier, failure, raw } = decoder;
  const message = decoder.providerMessage();
  return [all, complete, ended, model, cost, serviceTier, failure, raw, message];
}

Deno.test("a stream decodes to the same, whether its events are alike or not", () => {
  fc.assert(
    fc.property(chunks, (list) => {
      const events = list.map(({ content, extra, rest, choice }) =>
        JSON.stringify({
          model: "m",
          choices: [{ index: 0, delta: { content, ...extra }, finish_reason: null, ...choice }],
          ...rest,
        })
      );
      events.push("[DONE]");
      // Spaces at the end make every event different from the one before.
      const different = events.map((data, i) => data + " ".repeat(data === "[DONE]" ? 0 : i));
      assert.deepEqual(decoded(events), decoded(different));
    }),
    { numRuns: 500 },
  );
});
