/** The order of events in translated streams, and the input of custom tools. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { StreamAccumulator, type StreamEvent } from "../../../../../lib/chat/events.ts";
import { AnswerEvents } from "../../../../../lib/gateway/lanes/translated/answer_events.ts";
import {
  customInputOf,
  CustomInputReader,
} from "../../../../../lib/gateway/lanes/translated/custom_input.ts";

function toolsWith(custom: string | undefined) {
  return {
    clientName: (name: string): string => name,
    isCustom: (name: string): boolean => name === custom,
  };
}

const NO_TOOLS = toolsWith(undefined);

function order(events: readonly StreamEvent[], tools = NO_TOOLS): StreamEvent[] {
  const ready: StreamEvent[] = [];
  const answer = new AnswerEvents(tools);
  for (const event of events) answer.push(event, ready);
  answer.end(ready);
  return ready;
}

const piece = (index: number, text: string, fields: { id?: string; name?: string } = {}) =>
  ({ type: "tool_call", index, arguments: text, ...fields }) as const;

Deno.test("the arguments in the first piece of a call survive a change of the block", () => {
  // LiteLLM #29491: text, then a call whose first piece has arguments already.
  const events = order([
    { type: "text", text: "Checking." },
    piece(0, '{"path"', { id: "a", name: "read" }),
    piece(0, ':"x"}'),
    piece(1, '{"path":"y"}', { id: "b", name: "read" }),
    { type: "text", text: "Done." },
  ]);
  assert.deepEqual(events, [
    { type: "text", text: "Checking." },
    piece(0, "", { id: "a", name: "read" }),
    piece(0, '{"path"'),
    piece(0, ':"x"}'),
    piece(1, "", { id: "b", name: "read" }),
    piece(1, '{"path":"y"}'),
    { type: "text", text: "Done." },
  ]);
});

Deno.test("a call starts when its id and its name are known, with the arguments so far", () => {
  const events = order([
    piece(0, '{"a":', { id: "a" }),
    piece(0, "1"),
    piece(0, "}", { name: "late" }),
  ]);
  assert.deepEqual(events, [piece(0, "", { id: "a", name: "late" }), piece(0, '{"a":1}')]);
});

Deno.test("a call without arguments has an empty object", () => {
  const events = order([piece(0, "", { id: "a", name: "now" }), { type: "text", text: "Hm." }]);
  assert.deepEqual(events, [
    piece(0, "", { id: "a", name: "now" }),
    piece(0, "{}"),
    { type: "text", text: "Hm." },
  ]);
});

Deno.test("pieces pass as soon as they can", () => {
  const answer = new AnswerEvents(NO_TOOLS);
  const passed = (event: StreamEvent) => {
    const ready: StreamEvent[] = [];
    answer.push(event, ready);
    return ready.length;
  };
  assert.equal(passed({ type: "text", text: "x" }), 1);
  assert.equal(passed(piece(0, "", { id: "a", name: "f" })), 1);
  assert.equal(passed(piece(0, '{"x":')), 1);
  // The second call waits for the end of the first.
  assert.equal(passed(piece(1, "{", { id: "b", name: "g" })), 0);
  assert.equal(passed(piece(1, "}")), 0);
  assert.equal(passed(piece(0, "1}")), 4);
});

Deno.test("parallel calls come one after the other, however their pieces are mixed", () => {
  const calls = fc.array(
    fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue({ maxDepth: 1 }), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(fc.property(
    calls,
    fc.array(fc.nat(3), { maxLength: 40 }),
    fc.integer({ min: 1, max: 5 }),
    (inputs, turns, size) => {
      const queues = inputs.map((input, index) => {
        const json = JSON.stringify(input);
        const pieces = json.match(new RegExp(`[^]{1,${size}}`, "g"))!;
        return pieces.map((text, i) =>
          i === 0
            ? piece(index, text, { id: `id${index}`, name: `name${index}` })
            : piece(index, text)
        );
      });
      const mixed: StreamEvent[] = [];
      for (const turn of turns) mixed.push(...(queues[turn % queues.length].splice(0, 1)));
      mixed.push({ type: "text", text: "end" }, ...queues.flat());
      const ordered = order(mixed);
      const indexes = ordered.flatMap((event) => event.type === "tool_call" ? [event.index] : []);
      const blocks = indexes.filter((index, i) => index !== indexes[i - 1]);
      assert.deepEqual(blocks, [...new Set(blocks)]);
      const [before, after] = [mixed, ordered].map((events) => {
        const total = new StreamAccumulator();
        for (const event of events) total.add(event);
        return total;
      });
      assert.deepEqual(after.toolCalls, before.toolCalls);
      assert.equal(after.content, before.content);
    },
  ));
});

Deno.test("a custom tool's input is the text in the arguments of its function", () => {
  const tools = {
    clientName: (name: string) => name,
    isCustom: (name: string) => name === "patch",
  };
  const events = order([
    piece(0, '{"input": "*** Begin\\n', { id: "a", name: "patch" }),
    piece(0, '+\\u00e4"}'),
    piece(1, "{}", { id: "b", name: "other" }),
  ], tools);
  assert.deepEqual(events, [
    { ...piece(0, "", { id: "a", name: "patch" }), kind: "custom" },
    piece(0, "*** Begin\n"),
    piece(0, "+ä"),
    piece(1, "", { id: "b", name: "other" }),
    piece(1, "{}"),
  ]);
});

Deno.test("the input of a custom tool is the same in pieces of any size", () => {
  const json = fc.oneof(
    fc.record({ input: fc.string({ unit: "grapheme" }) }).map((value) => JSON.stringify(value)),
    fc.record({ input: fc.string({ unit: "binary" }) }).map(({ input }) =>
      // Every character as an escape.
      `{ "input" : "${
        input.replace(/[^]/g, (unit) => "\\u" + unit.charCodeAt(0).toString(16).padStart(4, "0"))
      }"}`
    ),
    fc.string(),
    fc.constantFrom("{}", '{"patch":"x"}', "*** Begin Patch", '["a"]', '"text"'),
  );
  fc.assert(fc.property(json, fc.integer({ min: 1, max: 7 }), (json, size) => {
    const reader = new CustomInputReader();
    let text = "";
    for (let at = 0; at < json.length; at += size) {
      const part = reader.push(json.slice(at, at + size));
      // A part never ends within a character.
      if (at + size < json.length) assert.ok(!/[\ud800-\udbff]$/.test(part));
      text += part;
    }
    assert.equal(text + reader.end(), customInputOf(json));
  }));
});

Deno.test("line breaks that a model did not escape stay in the input", () => {
  const reader = new CustomInputReader();
  assert.equal(reader.push('{"input":"a\nb\t'), "a\nb\t");
  assert.equal(reader.push('c"}'), "c");
  assert.equal(reader.end(), "");
});
