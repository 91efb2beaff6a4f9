/**
 * Encodes stream events as events of the Responses API.
 *
 * Source: OpenAI API reference, "Responses › Streaming events", and the types of the `openai` package
 * 7.57.
 *
 * @module
 */
import type { StreamEvent } from "../../chat/events.ts";
import type { FinishReason } from "../../chat/result.ts";
import { asObject, type Json } from "../../json/json.ts";
import type { Usage } from "../../usage.ts";
import type {
  CarriedMessage,
  ResponseHead,
  ServerError,
  ServerEvent,
  ServerRequest,
  StreamEncoder,
} from "../serve.ts";
import { encodeError } from "../openai_chat/serve_error.ts";
import { envelopeItem } from "./serve_output.ts";
import { type OpenItem, OpenMessage, OpenReasoning, OpenToolCall } from "./serve_stream_items.ts";
import { clientTools } from "./serve_tools.ts";
import { encodeResponseObject, type ResponseStatus, statusOf } from "./serve_response.ts";

/** Encodes one stream. */
export class ResponsesStreamEncoder implements StreamEncoder {
  readonly #head: ResponseHead;
  readonly #request: ServerRequest;
  readonly #output: Json[] = [];
  #item: OpenItem | undefined;
  #usage: Usage | null = null;
  #finishReason: FinishReason = "stop";
  #sequence = 0;
  #hasStarted = false;
  #isRefusal = false;
  /** Whether there is an item other than reasoning. */
  #hasAnswer = false;
  #messages = 0;
  #reasonings = 0;

  constructor(head: ResponseHead, request: ServerRequest) {
    this.#head = head;
    this.#request = request;
  }

  push(events: readonly StreamEvent[]): ServerEvent[] {
    const sent = this.#start();
    for (const [i, event] of events.entries()) {
      if (event.type === "usage") this.#usage = event.usage;
      else if (event.type === "finish") this.#finishReason = event.finishReason;
      else if (event.type !== "thinking_end") {
        // Log probabilities belong in the event of their text.
        const next = events[i + 1];
        const logprobs = next?.type === "logprobs" ? next.logprobs : [];
        if (event.type === "logprobs" && events[i - 1]?.type === "text") continue;
        if (event.type === "refusal") this.#isRefusal = true;
        const item = this.#itemFor(event, sent);
        for (const change of item.push(event, logprobs)) sent.push(this.#event(change));
      }
    }
    return sent;
  }

  carry({ envelope }: CarriedMessage): ServerEvent[] {
    const sent = this.#start();
    this.#close(sent);
    const output_index = this.#output.length;
    const item = envelopeItem(this.#head, envelope);
    sent.push(
      this.#event({ type: "response.output_item.added", output_index, item }),
      this.#event({ type: "response.output_item.done", output_index, item }),
    );
    this.#output.push(item);
    return sent;
  }

  fail(error: ServerError): ServerEvent[] {
    const sent = this.#start();
    const { code, type, message } = asObject(asObject(encodeError(error).body)?.error) ?? {};
    const response = { ...this.#response("failed"), error: { code: code ?? type, message } };
    sent.push(this.#event({ type: "response.failed", response }));
    return sent;
  }

  end(): ServerEvent[] {
    const sent = this.#start();
    // An answer without text and tool calls has an empty message.
    if (!this.#hasAnswer) {
      this.#close(sent);
      this.#open(this.#newMessage(), sent);
    }
    this.#close(sent);
    const status = statusOf(this.#finishReason, this.#isRefusal);
    sent.push(this.#event({ type: `response.${status}`, response: this.#response(status) }));
    return sent;
  }

  #start(): ServerEvent[] {
    if (this.#hasStarted) return [];
    this.#hasStarted = true;
    const response = this.#response("in_progress");
    return [
      this.#event({ type: "response.created", response }),
      this.#event({ type: "response.in_progress", response }),
    ];
  }

  /** The open item that an event belongs to. Closes the one before it. */
  #itemFor(event: StreamEvent, sent: ServerEvent[]): OpenItem {
    if (this.#item?.takes(event)) return this.#item;
    this.#close(sent);
    const index = this.#output.length;
    this.#hasAnswer ||= event.type !== "thinking";
    if (event.type === "tool_call") {
      const tools = clientTools(this.#request.body);
      return this.#open(new OpenToolCall(index, event, tools), sent);
    }
    if (event.type !== "thinking") return this.#open(this.#newMessage(), sent);
    const suffix = this.#reasonings++ === 0 ? "" : `_${this.#reasonings}`;
    return this.#open(new OpenReasoning(index, this.#head, suffix), sent);
  }

  #newMessage(): OpenMessage {
    const suffix = this.#messages++ === 0 ? "" : String(this.#messages);
    return new OpenMessage(this.#output.length, `${this.#head.id}${suffix}`);
  }

  #open(item: OpenItem, sent: ServerEvent[]): OpenItem {
    this.#item = item;
    const { output_index } = item.position;
    const added = { type: "response.output_item.added", output_index, item: item.started };
    sent.push(this.#event(added));
    return item;
  }

  #close(sent: ServerEvent[]): void {
    if (this.#item === undefined) return;
    for (const change of this.#item.end()) sent.push(this.#event(change));
    const item = this.#item.finished(this.#finishReason === "length");
    const { output_index } = this.#item.position;
    sent.push(this.#event({ type: "response.output_item.done", output_index, item }));
    this.#output.push(item);
    this.#item = undefined;
  }

  #response(status: ResponseStatus): Json {
    const output = [...this.#output];
    const { body } = this.#request;
    return encodeResponseObject(this.#head, body, output, status, this.#finishReason, this.#usage);
  }

  #event(fields: Json): ServerEvent {
    const data = JSON.stringify({ ...fields, sequence_number: this.#sequence++ });
    return { event: String(fields.type), data };
  }
}
