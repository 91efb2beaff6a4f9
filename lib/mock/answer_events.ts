/**
 * The stream events of an answer, one token at a time.
 *
 * @module
 */
import type { StreamEvent } from "../chat/events.ts";
import type { ServerChoice } from "../protocols/serve.ts";
import { textPieces } from "./logprobs.ts";
import { tokenize } from "./text.ts";

/** The events of an answer in the order in which a model writes it; each group arrives at once. */
export function* answerEvents(choice: ServerChoice): Generator<StreamEvent[]> {
  for (const text of tokenize(choice.thinking ?? "")) yield [{ type: "thinking", text }];
  for (const { text, logprobs } of textPieces(choice.content, choice.logprobs)) {
    const event: StreamEvent = { type: "text", text };
    yield logprobs.length === 0 ? [event] : [event, { type: "logprobs", logprobs }];
  }
  const citations = choice.citations ?? [];
  if (citations.length > 0) yield citations.map((citation) => ({ type: "citation", citation }));
  for (const text of tokenize(choice.refusal ?? "")) yield [{ type: "refusal", text }];
  for (const [index, { id, type, function: fn }] of choice.toolCalls.entries()) {
    const kind = type === "custom" ? type : undefined;
    yield [{ type: "tool_call", index, id, name: fn.name, arguments: "", kind }];
    for (const piece of tokenize(fn.arguments)) {
      yield [{ type: "tool_call", index, arguments: piece }];
    }
  }
}
