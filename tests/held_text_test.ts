import assert from "node:assert/strict";
import { HeldText, mayThinkUntagged } from "../commands/chat/held_text.ts";
import type { StreamEvent } from "../lib/chat/stream_events.ts";

/** What is shown, as `type: text` lines. */
function shown(isHolding: boolean, ...events: StreamEvent[]): string[] {
  const held = new HeldText(isHolding);
  const all = [...events.flatMap((event) => held.push(event)), ...held.end()];
  return all.flatMap((event) => "text" in event ? [`${event.type}: ${event.text}`] : []);
}

const FINISH: StreamEvent = { type: "finish", finishReason: "stop" };
const text = (text: string): StreamEvent => ({ type: "text", text });

Deno.test("text that turns out to be thinking is never shown as the answer", () => {
  const events = [
    text("Let me "),
    text("think."),
    { type: "thinking_end" } as const,
    text("42"),
    FINISH,
  ];
  assert.deepEqual(shown(true, ...events), ["thinking: Let me think.", "text: 42"]);
});

Deno.test("held text is shown when the answer ends, or its thinking comes apart from it", () => {
  assert.deepEqual(shown(true, text("4"), text("2"), FINISH), ["text: 42"]);
  assert.deepEqual(shown(true, text("4"), text("2")), ["text: 42"], "a stream that broke off");
  const thinking: StreamEvent = { type: "thinking", text: "Hm." };
  assert.deepEqual(shown(true, thinking, text("4"), text("2")), [
    "thinking: Hm.",
    "text: 4",
    "text: 2",
  ]);
  assert.deepEqual(shown(false, text("4"), text("2")), ["text: 4", "text: 2"]);
});

Deno.test("only what may think without a tag is held", () => {
  const local = "http://localhost:8000/v1";
  assert.equal(mayThinkUntagged(local, "Qwen/Qwen3-8B", undefined), true);
  assert.equal(mayThinkUntagged(local, "Qwen/Qwen3-8B", false), false);
  assert.equal(mayThinkUntagged(local, "llama-3.1-8b", undefined), false);
  assert.equal(mayThinkUntagged(local, "some-model", true), true);
  assert.equal(mayThinkUntagged("https://api.deepseek.com", "deepseek-reasoner", true), false);
  assert.equal(mayThinkUntagged("https://api.openai.com/v1", "gpt-5.6-sol", "high"), false);
});
