/**
 * Decodes streams of Chat Completions: `chat.completion.chunk` objects, then `[DONE]`.
 *
 * Source: OpenAI API reference, "Chat Completions › Streaming".
 *
 * @module
 */
import type { ProviderMessage } from "../../chat/messages.ts";
import type { Usage } from "../../usage.ts";
import type { StreamEvent } from "../../chat/events.ts";
import { MalformedResponseError } from "../../errors.ts";
import { asObject, asText, type Json } from "../../json/json.ts";
import { choiceError, firstChoice } from "./decode.ts";
import { decodeError } from "../openai_error.ts";
import {
  answerCitations,
  decodeContent,
  decodeThinking,
  functionCall,
  messageCitations,
  messageExtras,
  nativeMessage,
} from "./answer_message.ts";
import { ToolCallAssembler } from "./stream_tool_calls.ts";
import { MessageAssembler } from "./stream_message.ts";
import { decodeCost, decodeUsage, findUsage } from "./usage.ts";
import { finishReason } from "../finish_reason.ts";
import { parseEvent } from "../parse_event.ts";
import type { Endpoint, ProviderError, StreamDecoder } from "../protocol.ts";
import { embeddedError } from "../response_error.ts";
import { TextTemplate } from "../text_template.ts";
import { isKnownToThink, mayTagThinking, ThinkTagSplitter } from "../think_tags.ts";
import { decodeLogprobs } from "../token_logprobs.ts";

function choiceOf(chunk: Json): Json | undefined {
  const choice = firstChoice(chunk.choices);
  // With several choices, each chunk belongs to one of them.
  return typeof choice?.index === "number" && choice.index > 0 ? undefined : choice;
}

function deltaOf(choice: Json): Json | undefined {
  // A server that does not stream sends the whole message in one event.
  return asObject(choice.delta) ?? asObject(choice.message);
}

/** The text of a chunk whose message has nothing else. */
function onlyText(chunk: Json): string | undefined {
  const choice = choiceOf(chunk);
  const delta = choice && deltaOf(choice);
  const hasMore = delta === undefined || messageExtras(delta) !== undefined;
  return hasMore ? undefined : asText(delta.content);
}

/** Whether the text of a message is all that it takes for an event. */
function isFromText({ type }: StreamEvent): boolean {
  return type === "text" || type === "thinking" || type === "thinking_end";
}

/** Decodes one stream. */
export class ChatStreamDecoder implements StreamDecoder {
  complete = false;
  ended = false;
  model: string | undefined;
  cost: number | undefined;
  serviceTier: string | undefined;
  failure: { error: ProviderError; usage: Usage | null } | undefined;
  readonly #endpoint: Endpoint | undefined;
  readonly #isThinkingRequested: boolean;
  readonly #text = new ThinkTagSplitter();
  readonly #template = new TextTemplate();
  readonly #message = new MessageAssembler();
  readonly #calls = new ToolCallAssembler();
  #isEmpty = true;
  /** Usage that has not been emitted yet. */
  #usage: Usage | null = null;
  #hasText = false;
  #refused = false;
  /** How many sources have been emitted: search services repeat them in each chunk. */
  #cited = 0;

  constructor(endpoint?: Endpoint, isThinkingRequested = false) {
    this.#endpoint = endpoint;
    this.#isThinkingRequested = isThinkingRequested;
  }

  #mayBeThinking(): boolean {
    return isKnownToThink(this.model, this.#isThinkingRequested, this.#endpoint?.service);
  }

  push(data: string, events: StreamEvent[]): void {
    if (data === "[DONE]") return this.#done(events);
    const text = this.#template.match(data);
    if (text === undefined) {
      for (const event of this.#readChunk(data)) events.push(event);
    } else {
      this.#message.pushText(text);
      this.#text.push(text, events);
    }
  }

  #readChunk(data: string): StreamEvent[] {
    const events: StreamEvent[] = [];
    this.#template.clear();
    const chunk = parseEvent(data);
    const error = decodeError(chunk);
    if (error !== undefined) throw embeddedError(error, undefined, undefined, this.#endpoint);
    this.model ??= asText(chunk.model);
    this.serviceTier = asText(chunk.service_tier) ?? this.serviceTier;
    const choice = choiceOf(chunk);
    if (choice !== undefined) this.#pushChoice(choice, events);
    const citations = answerCitations(chunk);
    while (this.#cited < citations.length) {
      events.push({ type: "citation", citation: citations[this.#cited++] });
    }
    const rawUsage = findUsage(chunk, choice);
    this.#usage = decodeUsage(rawUsage) ?? this.#usage;
    this.cost = decodeCost(rawUsage) ?? this.cost;
    if (rawUsage === undefined && events.every(isFromText)) {
      this.#template.learn(data, chunk, onlyText);
    }
    // Usage alone is not an answer: such a stream may be retried.
    if (this.#usage === null || this.#isEmpty) return events;
    if (this.failure === undefined) events.push({ type: "usage", usage: this.#usage });
    else this.failure.usage = this.#usage;
    this.#usage = null;
    return events;
  }

  providerMessage(): ProviderMessage | undefined {
    const { content, extras } = this.#message;
    return nativeMessage(content, extras, this.#calls.calls());
  }

  /** The answer in the form of a plain one, so that callers can read both in the same way. */
  get raw(): unknown {
    const message = this.#message.extras;
    return message && { model: this.model, choices: [{ index: 0, message }] };
  }

  #pushChoice(choice: Json, events: StreamEvent[]): void {
    const delta = deltaOf(choice);
    if (delta !== undefined) this.#pushDelta(delta, events);
    const logprobs = decodeLogprobs(choice.logprobs);
    if (logprobs !== undefined) events.push({ type: "logprobs", logprobs });
    if (events.length > 0) this.#isEmpty = false;
    const error = choiceError(choice);
    if (error !== undefined) {
      this.failure ??= { error, usage: null };
      this.#isEmpty = false;
    } else if (asText(choice.finish_reason) !== undefined) {
      this.#finish(choice.finish_reason, events);
    }
  }

  #finish(reason: unknown, events: StreamEvent[]): void {
    this.complete = true;
    this.#isEmpty = false;
    this.#close(events);
    const finish = this.#refused ? "content_filter" : finishReason(reason, this.#calls.count > 0);
    events.push({ type: "finish", finishReason: finish });
  }

  #close(events: StreamEvent[]): void {
    this.#text.flush(events);
    this.#calls.close(events);
  }

  #done(events: StreamEvent[]): void {
    if (this.#isEmpty) {
      throw new MalformedResponseError("the stream ended without an answer", { retryable: true });
    }
    this.ended = true;
    if (!this.complete && this.failure === undefined) {
      // Some servers send no finish reason.
      if (this.#calls.count > 0) this.#finish(undefined, events);
      else this.#close(events);
    }
    this.complete = true;
  }

  #pushDelta(delta: Json, events: StreamEvent[]): void {
    const thinking = decodeThinking(delta);
    if (thinking !== undefined) {
      // The server itself separates thinking.
      this.#text.disable();
      events.push({ type: "thinking", text: thinking });
    }
    this.#message.push(delta);
    const text = decodeContent(delta.content);
    if (text !== "") {
      if (!this.#hasText) {
        if (!mayTagThinking(this.#endpoint, this.model)) this.#text.disable();
        else if (this.#mayBeThinking()) this.#text.holdBack();
      }
      this.#hasText = true;
      this.#isEmpty = false;
      this.#text.push(text, events);
    }
    const refusal = asText(delta.refusal);
    if (refusal !== undefined) {
      this.#refused = true;
      events.push({ type: "refusal", text: refusal });
    }
    for (const citation of messageCitations(delta)) events.push({ type: "citation", citation });
    if (Array.isArray(delta.tool_calls)) this.#calls.push(delta.tool_calls, events);
    else {
      const only = functionCall(delta);
      if (only !== undefined) this.#calls.push([{ index: 0, function: only }], events);
    }
  }
}
