/**
 * The stream of OpenAI Chat Completions: `chat.completion.chunk` objects, `[DONE]` at the end.
 *
 * Source: OpenAI API reference, "Chat Completions › Streaming".
 *
 * @module
 */
import type { NativeMessage } from "../chat/messages.ts";
import type { StreamEvent } from "../chat/stream_events.ts";
import { asObject, asText, type Json } from "../json.ts";
import {
  checkResources,
  decodeArguments,
  decodeContent,
  decodeCost,
  decodeError,
  decodeThinking,
  decodeUsage,
  finishReason,
  nativeMessage,
} from "./chat_decode.ts";
import { parseEvent } from "./parse_event.ts";
import type { StreamDecoder } from "./provider.ts";
import { embeddedError } from "./response_error.ts";
import { ThinkTagSplitter } from "./think_tags.ts";

/** Decodes one stream. */
export class ChatStreamDecoder implements StreamDecoder {
  complete = false;
  ended = false;
  model: string | undefined;
  cost: number | undefined;
  readonly #text = new ThinkTagSplitter();
  readonly #reasoning: Json = {};
  #refused = false;
  /** The `id` of each tool call begun, at its index. */
  #toolCallIds: (string | undefined)[] = [];

  push(data: string): StreamEvent[] {
    if (data === "[DONE]") {
      this.complete = this.ended = true;
      return [];
    }
    const chunk = parseEvent(data);
    const error = decodeError(chunk);
    if (error !== undefined) throw embeddedError(error);
    this.model ??= asText(chunk.model);

    const events: StreamEvent[] = [];
    const choice = Array.isArray(chunk.choices) ? asObject(chunk.choices[0]) : undefined;
    const delta = asObject(choice?.delta);
    if (delta !== undefined) this.#pushDelta(delta, events);
    if (asText(choice?.finish_reason) !== undefined) {
      this.complete = true;
      checkResources(choice?.finish_reason);
      const hasToolCalls = this.#toolCallIds.length > 0;
      const reason = this.#refused
        ? "content_filter"
        : finishReason(choice?.finish_reason, hasToolCalls);
      this.#text.flush(events);
      events.push({ type: "finish", finishReason: reason });
    }
    // Groq once put it into a field of its own.
    const usage = decodeUsage(chunk.usage ?? asObject(chunk.x_groq)?.usage);
    if (usage !== null) events.push({ type: "usage", usage });
    this.cost = decodeCost(chunk.usage) ?? this.cost;
    return events;
  }

  native(): NativeMessage | undefined {
    return nativeMessage(this.#reasoning);
  }

  #pushDelta(delta: Json, events: StreamEvent[]): void {
    const thinking = decodeThinking(delta);
    if (thinking !== undefined) events.push({ type: "thinking", text: thinking });
    this.#keepReasoning(delta);
    this.#text.push(decodeContent(delta.content), events);
    const refusal = asText(delta.refusal);
    if (refusal !== undefined) {
      this.#refused = true;
      events.push({ type: "text", text: refusal });
    }
    if (!Array.isArray(delta.tool_calls)) return;
    for (const item of delta.tool_calls) {
      const call = asObject(item);
      if (call !== undefined) events.push(this.#toolCall(call));
    }
  }

  /** Puts together what the service wants back in the next turn. */
  #keepReasoning({ reasoning_content, reasoning_details }: Json): void {
    if (typeof reasoning_content === "string") {
      const before = this.#reasoning.reasoning_content ?? "";
      this.#reasoning.reasoning_content = `${before}${reasoning_content}`;
    }
    if (Array.isArray(reasoning_details)) {
      const before = this.#reasoning.reasoning_details as unknown[] | undefined;
      this.#reasoning.reasoning_details = [...before ?? [], ...reasoning_details];
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
