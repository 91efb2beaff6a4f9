/** Thinking in the text, as vLLM, SGLang and Ollama send it without a reasoning parser. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { StreamAccumulator, type StreamEvent } from "../../lib/chat/events.ts";
import { splitThinking, ThinkTagSplitter } from "../../lib/protocols/think_tags.ts";

/** The result of a stream of `text`, split at the given positions. */
function stream(text: string, cuts: number[]): { thinking: string; content: string } {
  const splitter = new ThinkTagSplitter();
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
  const total = new StreamAccumulator();
  const pieces = [0, ...places].map((start, i) => text.slice(start, places[i]));
  const events: StreamEvent[] = [];
  for (const piece of pieces) splitter.push(piece, events);
  splitter.flush(events);
  for (const event of events) total.add(event);
  return { thinking: total.thinking ?? "", content: total.content };
}

const CASES: [text: string, thinking: string, content: string][] = [
  ["<think>why</think>because", "why", "because"],
  ["\n<think>\nwhy </think>\n\nbecause", "why", "because"],
  ["why\n</think>\n\nbecause", "why", "because"],
  ["</think>because", "", "because"],
  ["a <b </thin c</think>d</think>", "a <b </thin c", "d</think>"],
  ["<think></think>answer", "", "answer"],
  ["no tags at all", "", "no tags at all"],
  ["a < b <think> later </think>", "", "a < b <think> later </think>"],
  ["<thin is no tag", "", "<thin is no tag"],
  ["<think>a </thin b</think>c", "a </thin b", "c"],
  ["<think>never closed", "never closed", ""],
  ["", "", ""],
];

Deno.test("thinking is separated from the answer, plain and wherever the stream is split", () => {
  for (const [text, thinking, content] of CASES) {
    fc.assert(fc.property(fc.array(fc.nat(200), { maxLength: 12 }), (cuts) => {
      assert.deepEqual(stream(text, cuts), { thinking, content });
    }));
    const everywhere = Array.from(text, (_, i) => i);
    assert.deepEqual(stream(text, everywhere), { thinking, content });
    assert.deepEqual(splitThinking(text), { thinking: thinking || null, content });
  }
});
