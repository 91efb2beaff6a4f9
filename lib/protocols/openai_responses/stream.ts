/**
 * Decodes streams of OpenAI's Responses API: typed events, the last of which contains the whole response.
 *
 * Source: OpenAI API reference, "Responses › Streaming events".
 *
 * @module
 */
import type { ProviderMessage } from "../../chat/messages.ts";
import type { Usage } from "../../usage.ts";
import type { StreamEvent } from "../../chat/events.ts";
import { asCount, asObject, asObjects, asText, type Json } from "../../json/json.ts";
import { decodeCost } from "../openai_chat/usage.ts";
import { decodeError } from "../openai_error.ts";
import { parseEvent } from "../parse_event.ts";
import type { ProviderError, StreamDecoder } from "../protocol.ts";
import { embeddedError } from "../response_error.ts";
import { decodeUsage, failureOf, finishReason, withStatus } from "./decode.ts";
import { OutputItems } from "./output_items.ts";

/** Decodes one stream. */
export class ResponsesStreamDecoder implements StreamDecoder {
  complete = false;
  ended = false;
  model: string | undefined;
  serviceTier: string | undefined;
  cost: number | undefined;
  failure: { error: ProviderError; usage: Usage | null } | undefined;
  raw: unknown;
  #output: Json[] = [];
  readonly #items = new OutputItems();
  /** The current part of a summary, for servers that only number its first event. */
  #summary = 0;

  push(data: string, events: StreamEvent[]): void {
    if (data === "[DONE]") {
      // Not part of this API, but gateways add it.
      this.ended = true;
      return;
    }
    const decoded: StreamEvent[] = [];
    this.#push(parseEvent(data), decoded);
    for (const event of decoded) events.push(event);
  }

  providerMessage(): ProviderMessage {
    return { format: "responses", content: this.#output };
  }

  #push(event: Json, events: StreamEvent[]): void {
    const items = this.#items;
    const content = `content ${event.content_index ?? 0}`;
    const summary = `summary ${event.summary_index ?? this.#summary}`;
    const delta = asText(event.delta) ?? "";
    switch (event.type) {
      case "response.created":
      case "response.in_progress":
        this.model = asText(asObject(event.response)?.model) ?? this.model;
        break;
      case "response.output_item.added":
        items.add(event, asObject(event.item) ?? {}, events);
        break;
      case "response.output_item.done":
        items.finish(event, asObject(event.item) ?? {}, events);
        break;
      case "response.output_text.delta":
        items.text(items.of(event), content, "text", delta, events);
        items.logprobs(items.of(event), content, event.logprobs, events);
        break;
      case "response.output_text.done":
        items.rest(items.of(event), content, "text", event.text, events);
        items.restOfLogprobs(items.of(event), content, event.logprobs, events);
        break;
      case "response.output_text.annotation.added":
        items.annotation(items.of(event), content, event.annotation, events);
        break;
      case "response.refusal.delta":
        items.text(items.of(event), content, "refusal", delta, events);
        break;
      case "response.refusal.done":
        items.rest(items.of(event), content, "refusal", event.refusal, events);
        break;
      case "response.reasoning_summary_part.added":
        this.#summary = asCount(event.summary_index) ?? this.#summary + 1;
        break;
      case "response.reasoning_summary_text.delta":
        items.text(items.of(event), summary, "thinking", delta, events);
        break;
      case "response.reasoning_summary_text.done":
        items.rest(items.of(event), summary, "thinking", event.text, events);
        break;
      case "response.reasoning_text.delta":
        items.text(items.of(event), content, "thinking", delta, events);
        break;
      case "response.reasoning_text.done":
        items.rest(items.of(event), content, "thinking", event.text, events);
        break;
      case "response.content_part.done":
        items.completePart(items.of(event), content, asObject(event.part) ?? {}, events);
        break;
      case "response.function_call_arguments.delta":
      case "response.custom_tool_call_input.delta":
        items.arguments(items.of(event), delta, events);
        break;
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
        this.#end(asObject(event.response) ?? {}, events);
        break;
      case "error":
        throw embeddedError(withStatus(
          decodeError(event) ?? { message: asText(event.message), code: asText(event.code) },
        ));
      default:
        this.#pushUntyped(event, events);
    }
  }

  /** Handles a bare error, or a whole response from a server that does not stream. */
  #pushUntyped(event: Json, events: StreamEvent[]): void {
    if (typeof event.type === "string") return;
    if (Array.isArray(event.output)) return this.#end(event, events);
    const error = decodeError(event);
    if (error !== undefined) throw embeddedError(withStatus(error));
  }

  #end(response: Json, events: StreamEvent[]): void {
    this.complete = this.ended = true;
    this.model = asText(response.model) ?? this.model;
    this.serviceTier = asText(response.service_tier);
    this.cost = decodeCost(asObject(response.usage));
    const usage = decodeUsage(response.usage);
    const error = failureOf(response);
    this.#output = this.#items.end(asObjects(response.output), events);
    this.raw = { ...response, output: this.#output };
    if (error !== undefined) {
      this.failure = { error, usage };
      throw embeddedError(error);
    }
    events.push({ type: "finish", finishReason: finishReason(response, this.#output) });
    if (usage !== null) events.push({ type: "usage", usage });
  }
}
