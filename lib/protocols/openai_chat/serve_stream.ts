/**
 * Encodes stream events as chunks of a chat completion.
 *
 * Source: OpenAI API reference, "The chat completion chunk object".
 *
 * @module
 */
import type { StreamEvent } from "../../chat/events.ts";
import { asObject, type Json } from "../../json/json.ts";
import type { Usage } from "../../usage.ts";
import type {
  CarriedMessage,
  ResponseHead,
  ServerAnswerEvent,
  ServerError,
  ServerEvent,
  ServerRequest,
  StreamEncoder,
} from "../serve.ts";
import { encodeError } from "./serve_error.ts";
import {
  encodeAnnotations,
  encodeEnvelope,
  encodeFinishReason,
  encodeImages,
  encodeLogprobs,
  encodeUsage,
  serviceTierOf,
} from "./serve_result.ts";

/** The state of one answer. */
interface ChoiceState {
  length: number;
  isRefusal: boolean;
  /** Tool calls whose first piece was sent: whether they are custom calls. */
  custom: Map<number, boolean>;
  /** Tool calls whose extra fields were sent. */
  extras: Set<number>;
}

type ToolCallEvent = ServerAnswerEvent & { type: "tool_call" };

/** The first piece of a call has its id and name; arguments follow in chunks of their own. */
function* toolCallDeltas(event: ToolCallEvent, { custom, extras }: ChoiceState): Generator<Json> {
  const { index, id, name, callExtras } = event;
  if (!custom.has(index)) custom.set(index, event.kind === "custom");
  const [kind, field] = custom.get(index) ? ["custom", "input"] : ["function", "arguments"];
  if (id !== undefined || name !== undefined) {
    const call = { index, id, type: kind, [kind]: { name, [field]: "" }, ...callExtras };
    if (callExtras !== undefined) extras.add(index);
    yield { tool_calls: [call] };
  }
  if (event.arguments !== "") {
    yield { tool_calls: [{ index, [kind]: { [field]: event.arguments } }] };
  }
}

function* deltasOf(event: ServerAnswerEvent, state: ChoiceState): Generator<Json> {
  switch (event.type) {
    case "text":
      state.length += event.text.length;
      yield { content: event.text };
      break;
    case "thinking":
      yield { reasoning_content: event.text };
      break;
    case "refusal":
      state.isRefusal = true;
      yield { refusal: event.text };
      break;
    case "tool_call":
      yield* toolCallDeltas(event, state);
      break;
  }
}

/** Encodes one stream. */
export class ChatStreamEncoder implements StreamEncoder {
  readonly #answer: ResponseHead;
  readonly #head: Json;
  readonly #includesUsage: boolean;
  readonly #choices = new Map<number, ChoiceState>();
  #usage: Usage | null = null;

  constructor(head: ResponseHead, request: ServerRequest) {
    const { id, model, created } = head;
    this.#answer = head;
    this.#head = {
      id: `chatcmpl-${id}`,
      object: "chat.completion.chunk",
      created,
      model,
      service_tier: serviceTierOf(head, request),
    };
    this.#includesUsage = asObject(request.body.stream_options)?.include_usage === true;
  }

  push(events: readonly ServerAnswerEvent[], index = 0): ServerEvent[] {
    const sent: ServerEvent[] = [];
    // Log probabilities belong in the chunk of their text.
    const logprobs = events.flatMap((event) => event.type === "logprobs" ? event.logprobs : []);
    let pending = logprobs.length > 0 ? encodeLogprobs(logprobs) : null;
    for (const [i, event] of events.entries()) {
      if (event.type === "usage") {
        this.#usage = event.usage;
        continue;
      }
      const state = this.#start(index, event, sent);
      if (event.type === "finish") {
        const finish_reason = encodeFinishReason(event.finishReason, state.isRefusal);
        sent.push(this.#chunk({ index, delta: {}, logprobs: null, finish_reason }));
        continue;
      }
      if (event.type === "citation") {
        // Citations that arrived together are one list.
        if (events[i - 1]?.type === "citation") continue;
        const citations = events.flatMap((each) => each.type === "citation" ? each.citation : []);
        const annotations = encodeAnnotations(citations, state.length);
        if (annotations.length > 0) sent.push(this.#delta(index, { annotations }));
      }
      for (const delta of deltasOf(event, state)) {
        sent.push(this.#delta(index, delta, pending));
        pending = null;
      }
    }
    if (pending !== null) sent.push(this.#delta(index, {}, pending));
    return sent;
  }

  images(urls: readonly string[]): ServerEvent[] {
    return [this.#delta(0, { images: encodeImages(urls) })];
  }

  carry({ envelope, callExtras = [] }: CarriedMessage): ServerEvent[] {
    const delta: Json = { reasoning_details: [encodeEnvelope(envelope)] };
    // Clients join the pieces of a text, so no field is sent twice.
    const sent = this.#choices.get(0)?.extras;
    const calls = callExtras.flatMap((extras, index) =>
      extras && !sent?.has(index) ? [{ index, ...extras }] : []
    );
    if (calls.length > 0) delta.tool_calls = calls;
    return [this.#delta(0, delta)];
  }

  fail(error: ServerError): ServerEvent[] {
    return [{ data: JSON.stringify(encodeError(error).body) }];
  }

  end(): ServerEvent[] {
    const sent: ServerEvent[] = [];
    const usage = encodeUsage(this.#usage, this.#answer);
    if (this.#includesUsage && usage !== null) {
      sent.push({ data: JSON.stringify({ ...this.#head, choices: [], usage }) });
    }
    sent.push({ data: "[DONE]" });
    return sent;
  }

  /** The state of an answer; its first chunk names the role. */
  #start(index: number, { type }: StreamEvent, sent: ServerEvent[]): ChoiceState {
    const known = this.#choices.get(index);
    if (known !== undefined) return known;
    const state: ChoiceState = {
      length: 0,
      isRefusal: false,
      custom: new Map(),
      extras: new Set(),
    };
    this.#choices.set(index, state);
    const content = type === "tool_call" || type === "refusal" ? null : "";
    sent.push(this.#delta(index, { role: "assistant", content, refusal: null }));
    return state;
  }

  #delta(index: number, delta: Json, logprobs: Json | null = null): ServerEvent {
    return this.#chunk({ index, delta, logprobs, finish_reason: null });
  }

  #chunk(choice: Json): ServerEvent {
    const chunk: Json = { ...this.#head, choices: [choice] };
    if (this.#includesUsage) chunk.usage = null;
    return { data: JSON.stringify(chunk) };
  }
}
