/**
 * The stream of the Messages API: named events, whose names are also in their data.
 *
 * Source: Anthropic API reference, "Streaming messages".
 *
 * @module
 */
import type { NativeMessage } from "../chat/messages.ts";
import type { StreamEvent } from "../chat/stream_events.ts";
import { asNumber, asObject, asText, type Json } from "../json.ts";
import { decodeError, decodeUsage, finishReason } from "./claude_decode.ts";
import { parseEvent } from "./parse_event.ts";
import type { StreamDecoder } from "./provider.ts";
import { embeddedError } from "./response_error.ts";

/** Decodes one stream. */
export class ClaudeStreamDecoder implements StreamDecoder {
  complete = false;
  ended = false;
  model: string | undefined;
  /** The content blocks, as a plain answer would have had them. */
  readonly #blocks: Json[] = [];
  /** The JSON of each tool call's input so far, at the index of its block. */
  readonly #inputs: string[] = [];
  /** Which tool call each block is. */
  readonly #toolCalls: number[] = [];
  #usage: Json = {};

  push(data: string): StreamEvent[] {
    const event = parseEvent(data);
    const error = decodeError(event);
    if (error !== undefined) throw embeddedError(error, asText(event.request_id));
    const index = asNumber(event.index) ?? 0;
    switch (event.type) {
      case "message_start": {
        const message = asObject(event.message);
        this.model = asText(message?.model);
        return this.#pushUsage(message?.usage);
      }
      case "content_block_start":
        return this.#startBlock(index, asObject(event.content_block) ?? {});
      case "content_block_delta":
        return this.#pushDelta(index, asObject(event.delta) ?? {});
      case "content_block_stop":
        return this.#stopBlock(index);
      case "message_delta": {
        const events = this.#pushUsage(event.usage);
        const reason = asText(asObject(event.delta)?.stop_reason);
        if (reason === undefined) return events;
        this.complete = true;
        return [...events, { type: "finish", finishReason: finishReason(reason) }];
      }
      case "message_stop":
        this.complete = this.ended = true;
        return [];
      default:
        // `ping`, and whatever is to come.
        return [];
    }
  }

  native(): NativeMessage {
    return { format: "claude", content: this.#blocks };
  }

  #startBlock(index: number, block: Json): StreamEvent[] {
    this.#blocks[index] = { ...block };
    if (block.type === "text" && asText(block.text) !== undefined) {
      return [{ type: "text", text: String(block.text) }];
    }
    if (block.type !== "tool_use") return [];
    this.#inputs[index] = "";
    this.#toolCalls[index] = Object.keys(this.#toolCalls).length;
    return [{
      type: "tool_call",
      index: this.#toolCalls[index],
      id: asText(block.id) ?? "",
      name: asText(block.name) ?? "",
      arguments: "",
    }];
  }

  #pushDelta(index: number, delta: Json): StreamEvent[] {
    const block = this.#blocks[index] ??= {};
    switch (delta.type) {
      case "text_delta": {
        const text = asText(delta.text) ?? "";
        block.text = `${block.text ?? ""}${text}`;
        return text === "" ? [] : [{ type: "text", text }];
      }
      case "thinking_delta": {
        const text = asText(delta.thinking) ?? "";
        block.thinking = `${block.thinking ?? ""}${text}`;
        return text === "" ? [] : [{ type: "thinking", text }];
      }
      case "signature_delta":
        block.signature = delta.signature;
        return [];
      case "input_json_delta": {
        const json = asText(delta.partial_json) ?? "";
        this.#inputs[index] += json;
        const call = this.#toolCalls[index];
        return json === "" ? [] : [{ type: "tool_call", index: call, arguments: json }];
      }
      default:
        return [];
    }
  }

  #stopBlock(index: number): StreamEvent[] {
    const json = this.#inputs[index];
    if (json === undefined) return [];
    this.#blocks[index].input = json === "" ? {} : parseEvent(json);
    // A tool without arguments streams none; as a plain answer it has an empty object.
    return json === ""
      ? [{ type: "tool_call", index: this.#toolCalls[index], arguments: "{}" }]
      : [];
  }

  /** Later counts replace earlier ones; those that are left out stay. */
  #pushUsage(value: unknown): StreamEvent[] {
    const told = Object.entries(asObject(value) ?? {}).filter(([, count]) => count !== null);
    Object.assign(this.#usage, Object.fromEntries(told));
    const usage = decodeUsage(this.#usage);
    return told.length === 0 || usage === null ? [] : [{ type: "usage", usage }];
  }
}
