/** Thinking in the text, as vLLM, SGLang and Ollama leave it there without a reasoning parser. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { StreamEvent } from "../lib/chat/stream_events.ts";
import { splitThinking, ThinkTagSplitter } from "../lib/providers/think_tags.ts";

/** What a stream of `text`, cut after the given places, gives. */
function stream(text: string, cuts: number[]): { thinking: string; content: string } {
  const splitter = new ThinkTagSplitter();
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
  const result = { thinking: "", content: "" };
  const pieces = [0, ...places].map((start, i) => text.slice(start, places[i]));
  const events: StreamEvent[] = [];
  for (const piece of pieces) splitter.push(piece, events);
  splitter.flush(events);
  for (const event of events) {
    if (event.type === "thinking") result.thinking += event.text;
    else if (event.type === "text") result.content += event.text;
  }
  return result;
}

const CASES: [text: string, thinking: string, content: string][] = [
  ["<think>why</think>because", "why", "because"],
  ["\n<think>\nwhy </think>\n\nbecause", "why ", "because"],
  ["<think></think>answer", "", "answer"],
  ["no tags at all", "", "no tags at all"],
  ["a < b <think> later </think>", "", "a < b <think> later </think>"],
  ["<thin is no tag", "", "<thin is no tag"],
  ["<think>a </thin b</think>c", "a </thin b", "c"],
  ["<think>never closed", "never closed", ""],
  ["", "", ""],
];

Deno.test("thinking is told from the answer wherever the stream is cut", () => {
  for (const [text, thinking, content] of CASES) {
    fc.assert(fc.property(fc.array(fc.nat(200), { maxLength: 12 }), (cuts) => {
      assert.deepEqual(stream(text, cuts), { thinking, content });
    }));
    const everywhere = Array.from(text, (_, i) => i);
    assert.deepEqual(stream(text, everywhere), { thinking, content });
  }
});

Deno.test("a whole text is split the same, also without its opening tag", () => {
  assert.deepEqual(splitThinking("<think>why</think>\n\nbecause"), {
    thinking: "why",
    content: "because",
  });
  assert.deepEqual(splitThinking("why\n</think>\n\nbecause"), {
    thinking: "why",
    content: "because",
  });
  assert.deepEqual(splitThinking("no tags"), { thinking: null, content: "no tags" });
  assert.deepEqual(splitThinking("<think>cut off"), { thinking: "cut off", content: "" });
});
