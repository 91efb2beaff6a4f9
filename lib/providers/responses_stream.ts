/**
 * The stream of OpenAI's Responses API: typed events, the whole response in the last one.
 *
 * Source: OpenAI API reference, "Responses › Streaming events".
 *
 * @module
 */
import type { NativeMessage } from "../chat/messages.ts";
import type { StreamEvent } from "../chat/stream_events.ts";
import { asObject, asObjects, asText, type Json } from "../json.ts";
import { parseEvent } from "./parse_event.ts";
import type { StreamDecoder } from "./provider.ts";
import { embeddedError } from "./response_error.ts";
import { checkFailed, decodeUsage, finishReason } from "./responses_decode.ts";

/** Decodes one stream. */
export class ResponsesStreamDecoder implements StreamDecoder {
  complete = false;
  ended = false;
  model: string | undefined;
  #output: Json[] = [];
  /** Which tool call each item is, by the item's id. */
  readonly #calls = new Map<unknown, number>();
  #summaries = 0;

  push(data: string): StreamEvent[] {
    const event = parseEvent(data);
    switch (event.type) {
      case "response.created":
        this.model = asText(asObject(event.response)?.model);
        return [];
      case "response.output_item.added":
        return this.#addItem(asObject(event.item) ?? {});
      case "response.output_text.delta":
      case "response.refusal.delta":
        return [{ type: "text", text: String(event.delta ?? "") }];
      case "response.reasoning_summary_part.added":
        return this.#summaries++ === 0 ? [] : [{ type: "thinking", text: "\n\n" }];
      case "response.reasoning_summary_text.delta":
        return [{ type: "thinking", text: String(event.delta ?? "") }];
      case "response.function_call_arguments.delta": {
        const index = this.#calls.get(event.item_id) ?? 0;
        return [{ type: "tool_call", index, arguments: String(event.delta ?? "") }];
      }
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
        return this.#end(asObject(event.response) ?? {});
      case "error":
        throw embeddedError({ message: asText(event.message), code: asText(event.code) });
      default:
        return [];
    }
  }

  native(): NativeMessage {
    return { format: "responses", content: this.#output };
  }

  #addItem(item: Json): StreamEvent[] {
    if (item.type !== "function_call") return [];
    const index = this.#calls.size;
    this.#calls.set(item.id, index);
    return [{
      type: "tool_call",
      index,
      id: asText(item.call_id) ?? "",
      name: asText(item.name) ?? "",
      arguments: "",
    }];
  }

  #end(response: Json): StreamEvent[] {
    checkFailed(response);
    this.complete = this.ended = true;
    this.model = asText(response.model) ?? this.model;
    this.#output = asObjects(response.output);
    const events: StreamEvent[] = [
      { type: "finish", finishReason: finishReason(response, this.#output) },
    ];
    const usage = decodeUsage(response.usage);
    if (usage !== null) events.push({ type: "usage", usage });
    return events;
  }
}
