/**
 * The stream of OpenAI Chat Completions: `chat.completion.chunk` objects, `[DONE]` at the end.
 *
 * Source: OpenAI API reference, "Chat Completions › Streaming".
 *
 * @module
 */
import type { StreamEvent } from "../chat/stream_events.ts";
import { MalformedResponseError } from "../errors.ts";
import { asObject, asText, type Json } from "../json.ts";
import {
  decodeArguments,
  decodeContent,
  decodeError,
  decodeThinking,
  decodeUsage,
  finishReason,
} from "./openai.ts";
import type { StreamDecoder } from "./provider.ts";
import { embeddedError } from "./response_error.ts";

/** Decodes one stream. */
export class OpenAIStreamDecoder implements StreamDecoder {
  complete = false;
  ended = false;
  model: string | undefined;
  /** The `id` of each tool call begun, at its index. */
  #toolCallIds: (string | undefined)[] = [];

  push(data: string): StreamEvent[] {
    if (data === "[DONE]") {
      this.complete = this.ended = true;
      return [];
    }
    let parsed: unknown;
    try {
      parsed = JSON.parse(data);
    } catch (cause) {
      throw new MalformedResponseError("the stream holds an event that is not JSON", {
        cause,
        retryable: true,
      });
    }
    const error = decodeError(parsed);
    if (error !== undefined) throw embeddedError(error);
    const chunk = asObject(parsed);
    if (chunk === undefined) return [];
    this.model ??= asText(chunk.model);

    const events: StreamEvent[] = [];
    const choice = Array.isArray(chunk.choices) ? asObject(chunk.choices[0]) : undefined;
    const delta = asObject(choice?.delta);
    if (delta !== undefined) this.#pushDelta(delta, events);
    if (asText(choice?.finish_reason) !== undefined) {
      this.complete = true;
      const hasToolCalls = this.#toolCallIds.length > 0;
      events.push({
        type: "finish",
        finishReason: finishReason(choice?.finish_reason, hasToolCalls),
      });
    }
    const usage = decodeUsage(chunk.usage);
    if (usage !== null) events.push({ type: "usage", usage });
    return events;
  }

  #pushDelta(delta: Json, events: StreamEvent[]): void {
    const thinking = decodeThinking(delta);
    if (thinking !== undefined) events.push({ type: "thinking", text: thinking });
    const text = decodeContent(delta.content) || asText(delta.refusal);
    if (text) events.push({ type: "text", text });
    if (!Array.isArray(delta.tool_calls)) return;
    for (const item of delta.tool_calls) {
      const call = asObject(item);
      if (call !== undefined) events.push(this.#toolCall(call));
    }
  }

  #toolCall(call: Json): StreamEvent {
    const fn = asObject(call.function);
    const id = asText(call.id);
    const index = this.#toolCallIndex(call.index, id);
    const event: StreamEvent = {
      type: "tool_call",
      index,
      arguments: decodeArguments(fn?.arguments),
    };
    if (!(index in this.#toolCallIds)) {
      event.id = this.#toolCallIds[index] = id ?? `call_${index}`;
      event.name = asText(fn?.name) ?? "";
    }
    return event;
  }

  /** Servers that leave the index out (Gemini's compatible API) start a new call with a new id. */
  #toolCallIndex(index: unknown, id: string | undefined): number {
    if (typeof index === "number") return index;
    const known = this.#toolCallIds.length;
    if (id !== undefined) {
      const begun = this.#toolCallIds.indexOf(id);
      return begun >= 0 ? begun : known;
    }
    return Math.max(0, known - 1);
  }
}
