/**
 * Decodes streams of Anthropic's Messages API: named events whose names are also in their data.
 *
 * Compatible servers omit events and fields, so each event is read for whatever it contains: a delta may start
 * a block, and the first event may already contain the whole answer.
 *
 * Sources: Anthropic API reference, "Streaming messages"; "Refusals and fallback", "Streaming"; the types
 * of `@anthropic-ai/sdk` 1.12 (`BetaRawMessageStreamEvent`).
 *
 * @module
 */
import type { ProviderMessage } from "../../chat/messages.ts";
import type { StreamEvent } from "../../chat/events.ts";
import { MalformedResponseError } from "../../errors.ts";
import { asNumber, asObject, asObjects, asText, type Json } from "../../json/json.ts";
import { decodeError, failureOf, refusalOf, stopReason } from "./decode.ts";
import { ERROR_STATUSES } from "./error_statuses.ts";
import { BlockDecoder } from "./stream_block.ts";
import { type AnthropicUsage, decodeUsage, mergeUsage } from "./usage.ts";
import { parseEvent } from "../parse_event.ts";
import type { StreamDecoder } from "../protocol.ts";
import { embeddedError } from "../response_error.ts";

/** Decodes one stream. */
export class AnthropicStreamDecoder implements StreamDecoder {
  complete = false;
  ended = false;
  model: string | undefined;
  failure: StreamDecoder["failure"];
  /** All blocks, in the order of the answer. */
  readonly #blocks: BlockDecoder[] = [];
  /** The last block of each index. */
  readonly #open = new Map<number, BlockDecoder>();
  /** The message without its content, in the form of a plain answer. */
  readonly #message: Json = {};
  readonly #usage: Json = {};
  #decoded: AnthropicUsage = { usage: null };
  /** The length of the answer's text in finished blocks. */
  #textLength = 0;
  #toolCalls = 0;
  #hasStarted = false;
  #isFinished = false;

  get serviceTier(): string | undefined {
    return this.#decoded.serviceTier;
  }

  get billed(): AnthropicUsage["billed"] {
    return this.#decoded.billed;
  }

  get raw(): Json {
    return { ...this.#message, usage: this.#usage };
  }

  push(data: string, events: StreamEvent[]): void {
    for (const event of this.#read(data)) events.push(event);
  }

  #read(data: string): StreamEvent[] {
    if (data === "[DONE]") return this.#end();
    const event = parseEvent(data);
    const index = asNumber(event.index) ?? 0;
    switch (event.type) {
      case "message_start":
        return this.#startMessage(asObject(event.message) ?? {});
      case "content_block_start":
        return this.#startBlock(index, asObject(event.content_block) ?? {});
      case "content_block_delta":
        return this.#pushDelta(index, asObject(event.delta) ?? {});
      case "content_block_stop":
        return this.#stopBlock(index);
      case "message_delta":
        return this.#pushMessageDelta(asObject(event.delta) ?? {}, event.usage);
      case "message_stop":
        return [...this.#pushUsage(event.usage), ...this.#end()];
      default: {
        const error = decodeError(event);
        if (error === undefined) return [];
        const status = error.status ?? ERROR_STATUSES[error.code ?? ""];
        throw embeddedError({ ...error, status }, asText(event.request_id));
      }
    }
  }

  providerMessage(): ProviderMessage {
    return { format: "claude", content: this.#blocks.map(({ block }) => block) };
  }

  #startMessage({ content, usage, ...fields }: Json): StreamEvent[] {
    if (this.#hasStarted) {
      // Proxies may repeat the event; one that retried appends a second answer to half of the first.
      if (fields.id === this.#message.id) return [];
      const message = "the stream started a second message before the first ended";
      throw new MalformedResponseError(message, { retryable: true });
    }
    this.#hasStarted = true;
    Object.assign(this.#message, fields);
    this.model = asText(fields.model) ?? this.model;
    const events: StreamEvent[] = [];
    for (const [index, block] of asObjects(content).entries()) {
      events.push(...this.#startBlock(index, block), ...this.#stopBlock(index));
    }
    // The stop reason is read at the end: some servers set it from the start.
    return [...events, ...this.#pushUsage(usage)];
  }

  #startBlock(index: number, start: Json): StreamEvent[] {
    const events = this.#stopBlock(index);
    const call = start.type === "tool_use" ? this.#toolCalls++ : undefined;
    const block = new BlockDecoder(start, call);
    this.#blocks.push(block);
    this.#open.set(index, block);
    if (start.type === "fallback") this.model = asText(asObject(start.to)?.model) ?? this.model;
    return [...events, ...block.start()];
  }

  #pushDelta(index: number, delta: Json): StreamEvent[] {
    const open = this.#open.get(index);
    const missing = BlockDecoder.missingStart(delta, open);
    if (missing === undefined) return open?.push(delta) ?? [];
    return [...this.#startBlock(index, missing), ...this.#open.get(index)!.push(delta)];
  }

  #stopBlock(index: number): StreamEvent[] {
    const block = this.#open.get(index);
    if (block === undefined) return [];
    this.#open.delete(index);
    const events = block.stop(this.#textLength);
    this.#textLength += block.textLength;
    return events;
  }

  #pushMessageDelta(delta: Json, usage: unknown): StreamEvent[] {
    const { usage: inner, ...changes } = delta;
    Object.assign(this.#message, changes);
    // It was once documented to be inside `delta`.
    const events = this.#pushUsage(usage ?? inner);
    return asText(delta.stop_reason) === undefined ? events : [...events, ...this.#finish()];
  }

  /** Completes the answer: ends its blocks and reports the finish reason. */
  #finish(): StreamEvent[] {
    this.complete = true;
    if (this.#isFinished) return [];
    this.#isFinished = true;
    const events = [...this.#open.keys()].flatMap((index) => this.#stopBlock(index));
    const { stop_reason } = this.#message;
    const error = failureOf(stop_reason);
    if (error !== undefined) {
      this.failure = { error, usage: this.#decoded.usage };
      return events;
    }
    const refusal = refusalOf(this.#message);
    if (refusal !== null) events.push({ type: "refusal", text: refusal });
    const reason = stopReason(stop_reason, this.#toolCalls > 0);
    return [...events, { type: "finish", finishReason: reason }];
  }

  #end(): StreamEvent[] {
    this.ended = true;
    // An end before any answer does not complete it.
    return this.#hasStarted || this.#blocks.length > 0 ? this.#finish() : [];
  }

  #pushUsage(value: unknown): StreamEvent[] {
    const later = asObject(value);
    if (later === undefined) return [];
    mergeUsage(this.#usage, later);
    this.#decoded = decodeUsage(this.#usage);
    const { usage } = this.#decoded;
    return usage === null ? [] : [{ type: "usage", usage }];
  }
}
