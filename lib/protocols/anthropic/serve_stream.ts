/**
 * Encodes stream events as events of Anthropic's Messages API.
 *
 * Source: Anthropic API reference, "Streaming messages".
 *
 * @module
 */
import type { StreamEvent } from "../../chat/events.ts";
import type { FinishReason } from "../../chat/result.ts";
import type { Json } from "../../json/json.ts";
import type { Usage } from "../../usage.ts";
import type {
  CarriedMessage,
  ResponseHead,
  ServerError,
  ServerEvent,
  ServerRequest,
  StreamEncoder,
} from "../serve.ts";
import { encodeError } from "./serve_error.ts";
import {
  encodeCitation,
  encodeEnd,
  encodeMessage,
  encodeUsage,
  hasThinkingBlock,
  redactedBlock,
  thinkingBlock,
  toolUseBlock,
} from "./serve_message.ts";

/** A block that is being streamed. */
interface OpenBlock {
  type: "thinking" | "text" | "tool_use" | "redacted_thinking";
  /** The tool call that it belongs to. */
  call?: number;
  /** The JSON string of a custom call's input is open. */
  isCustom?: boolean;
}

/** Part of a JSON string, without its quotes. */
function jsonStringPart(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Encodes one stream. */
export class AnthropicStreamEncoder implements StreamEncoder {
  readonly #head: ResponseHead;
  readonly #request: ServerRequest;
  #block: OpenBlock | undefined;
  #index = -1;
  #usage: Usage | null = null;
  #refusal: string | null = null;
  #finishReason: FinishReason = "stop";
  #hasStarted = false;
  #hasCalls = false;

  constructor(head: ResponseHead, request: ServerRequest) {
    this.#head = head;
    this.#request = request;
  }

  push(events: readonly StreamEvent[]): ServerEvent[] {
    // The first event already has the prompt's token count.
    for (const event of events) if (event.type === "usage") this.#usage = event.usage;
    const sent = this.#start();
    for (const event of events) this.#push(event, sent);
    return sent;
  }

  carry({ envelope }: CarriedMessage): ServerEvent[] {
    if (!this.#hasCalls) return [];
    const sent = this.#start();
    this.#open({ type: "redacted_thinking" }, redactedBlock(envelope), sent);
    this.#close(sent);
    return sent;
  }

  fail(error: ServerError): ServerEvent[] {
    const sent: ServerEvent[] = [];
    this.#send(encodeError(error, `req_${this.#head.id}`).body as Json, sent);
    return sent;
  }

  end(stopSequence?: string): ServerEvent[] {
    const sent = this.#start();
    const end = { finishReason: this.#finishReason, refusal: this.#refusal, stopSequence };
    // An empty answer has one empty block.
    if (this.#index < 0 && this.#refusal === null && this.#finishReason !== "length") {
      this.#open({ type: "text" }, { type: "text", text: "", citations: null }, sent);
    }
    this.#close(sent);
    const usage = encodeUsage(this.#usage, this.#head);
    this.#send({ type: "message_delta", delta: encodeEnd(end), usage }, sent);
    this.#send({ type: "message_stop" }, sent);
    return sent;
  }

  #start(): ServerEvent[] {
    const sent: ServerEvent[] = [];
    if (this.#hasStarted) return sent;
    this.#hasStarted = true;
    const end = { finishReason: "stop", refusal: null } as const;
    const whole = encodeMessage(this.#head, this.#request, [], end, this.#usage);
    const written = this.#head.isSimulated
      ? { output_tokens: 1, output_tokens_details: { thinking_tokens: 0 } }
      : { output_tokens: 0, output_tokens_details: null };
    const message = { ...whole, stop_reason: null, usage: { ...whole.usage, ...written } };
    this.#send({ type: "message_start", message }, sent);
    this.#send({ type: "ping" }, sent);
    return sent;
  }

  #push(event: StreamEvent, sent: ServerEvent[]): void {
    switch (event.type) {
      case "text":
        this.#openText(sent);
        this.#delta({ type: "text_delta", text: event.text }, sent);
        break;
      case "thinking": {
        if (!hasThinkingBlock(this.#head, this.#request)) break;
        const { type, thinking } = thinkingBlock(event.text, this.#head, this.#request);
        if (this.#block?.type !== "thinking") {
          this.#open({ type: "thinking" }, { type, thinking: "", signature: "" }, sent);
        }
        if (thinking !== "") this.#delta({ type: "thinking_delta", thinking }, sent);
        break;
      }
      case "citation": {
        const citation = encodeCitation(event.citation, this.#head);
        if (citation === undefined) break;
        this.#openText(sent);
        this.#delta({ type: "citations_delta", citation }, sent);
        break;
      }
      case "tool_call":
        this.#pushCall(event, sent);
        break;
      case "refusal":
        this.#refusal = (this.#refusal ?? "") + event.text;
        break;
      case "finish":
        this.#finishReason = event.finishReason;
        break;
    }
  }

  #openText(sent: ServerEvent[]): void {
    if (this.#block?.type === "text") return;
    this.#open({ type: "text" }, { type: "text", text: "", citations: null }, sent);
  }

  #pushCall(event: StreamEvent & { type: "tool_call" }, sent: ServerEvent[]): void {
    const { index, id = "", name = "", kind, arguments: text } = event;
    this.#hasCalls = true;
    if (this.#block?.call !== index) {
      const isCustom = kind === "custom";
      const call = { id, type: "function", function: { name, arguments: "" } } as const;
      this.#open({ type: "tool_use", call: index, isCustom }, toolUseBlock(call), sent);
      if (isCustom) this.#delta({ type: "input_json_delta", partial_json: '{"input":"' }, sent);
    }
    if (text === "") return;
    const partial_json = this.#block!.isCustom ? jsonStringPart(text) : text;
    this.#delta({ type: "input_json_delta", partial_json }, sent);
  }

  #open(block: OpenBlock, content_block: Json, sent: ServerEvent[]): void {
    this.#close(sent);
    this.#block = block;
    this.#index++;
    this.#send({ type: "content_block_start", index: this.#index, content_block }, sent);
  }

  #close(sent: ServerEvent[]): void {
    const block = this.#block;
    if (block === undefined) return;
    if (block.type === "thinking") {
      const { signature } = thinkingBlock("", this.#head, this.#request);
      if (signature !== "") this.#delta({ type: "signature_delta", signature }, sent);
    }
    if (block.isCustom) this.#delta({ type: "input_json_delta", partial_json: '"}' }, sent);
    this.#send({ type: "content_block_stop", index: this.#index }, sent);
    this.#block = undefined;
  }

  #delta(delta: Json, sent: ServerEvent[]): void {
    this.#send({ type: "content_block_delta", index: this.#index, delta }, sent);
  }

  #send(fields: Json, sent: ServerEvent[]): void {
    sent.push({ event: String(fields.type), data: JSON.stringify(fields) });
  }
}
