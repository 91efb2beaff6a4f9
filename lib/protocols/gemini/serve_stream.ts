/**
 * Encodes stream events as the responses of a Gemini stream.
 *
 * Source: Gemini API reference, "models.streamGenerateContent".
 *
 * @module
 */
import type { StreamEvent } from "../../chat/events.ts";
import type { Citation } from "../../chat/result.ts";
import type { ToolCall } from "../../chat/tool_call.ts";
import type { Json } from "../../json/json.ts";
import type { Usage } from "../../usage.ts";
import type {
  CarriedMessage,
  ResponseHead,
  ServerError,
  ServerEvent,
  StreamEncoder,
} from "../serve.ts";
import { encodeError } from "./serve_error.ts";
import {
  encodeBody,
  encodeCandidate,
  encodeCitations,
  encodeEnd,
  encodeLogprobs,
  encodeParts,
  envelopePart,
  imagePart,
} from "./serve_result.ts";

/** The state of one candidate. */
class CandidateState {
  text = "";
  hasThinking = false;
  isSigned = false;
  refusal: string | null = null;
  /** The call that is arriving: calls are sent whole. */
  call: ToolCall | undefined;
  #callIndex = -1;
  citations: Citation[] = [];

  /** Adds a piece of a call. Returns the call before it, which is complete. */
  addCall(event: StreamEvent & { type: "tool_call" }): ToolCall | undefined {
    const { index, id, name, kind } = event;
    const before = index === this.#callIndex ? undefined : this.takeCall();
    this.#callIndex = index;
    const call = this.call ??= {
      id: "",
      type: kind ?? "function",
      function: { name: "", arguments: "" },
    };
    if (id !== undefined) call.id = id;
    if (name !== undefined) call.function.name = name;
    call.function.arguments += event.arguments;
    return before;
  }

  /** The call that is complete now, if any. */
  takeCall(): ToolCall | undefined {
    const { call } = this;
    this.call = undefined;
    return call;
  }
}

/** Encodes one stream. */
export class GeminiStreamEncoder implements StreamEncoder {
  readonly #head: ResponseHead;
  readonly #candidates = new Map<number, CandidateState>();
  #usage: Usage | null = null;
  /** Whether the usage was sent, or is not known. */
  #isUsageSent = true;

  constructor(head: ResponseHead) {
    this.#head = head;
  }

  push(events: readonly StreamEvent[], index = 0): ServerEvent[] {
    const sent: ServerEvent[] = [];
    let state = this.#candidates.get(index);
    if (state === undefined) this.#candidates.set(index, state = new CandidateState());
    for (const [i, event] of events.entries()) {
      switch (event.type) {
        case "text":
        case "thinking": {
          const isThought = event.type === "thinking";
          this.#pushCall(state.takeCall(), state, index, sent);
          if (isThought) state.hasThinking = true;
          else state.text += event.text;
          const part = isThought ? { text: event.text, thought: true } : { text: event.text };
          // Log probabilities belong in the response of their text.
          const next = events[i + 1];
          const logprobs = next?.type === "logprobs" ? next.logprobs : undefined;
          sent.push(this.#event(encodeCandidate(index, [part], encodeLogprobs(logprobs))));
          break;
        }
        case "logprobs": {
          const before = events[i - 1]?.type;
          if (before === "text" || before === "thinking") break;
          sent.push(this.#event(encodeCandidate(index, [], encodeLogprobs(event.logprobs))));
          break;
        }
        case "tool_call":
          this.#pushCall(state.addCall(event), state, index, sent);
          break;
        case "refusal":
          state.refusal = (state.refusal ?? "") + event.text;
          break;
        case "citation":
          state.citations.push(event.citation);
          break;
        case "usage":
          this.#usage = event.usage;
          this.#isUsageSent = false;
          break;
        case "finish": {
          const parts = this.#lastParts(state.takeCall(), state);
          const end = encodeEnd(event.finishReason, state.refusal);
          const fields = { ...end, ...this.#takeCitations(state) };
          sent.push(this.#event(encodeCandidate(index, parts, fields)));
          break;
        }
      }
    }
    return sent;
  }

  images(urls: readonly string[]): ServerEvent[] {
    return [this.#event(encodeCandidate(0, urls.map(imagePart)))];
  }

  carry({ envelope }: CarriedMessage): ServerEvent[] {
    const sent: ServerEvent[] = [];
    const state = this.#candidates.get(0);
    if (state !== undefined) this.#pushCall(state.takeCall(), state, 0, sent);
    sent.push(this.#event(encodeCandidate(0, [envelopePart(envelope)])));
    return sent;
  }

  fail(error: ServerError): ServerEvent[] {
    return [{ data: JSON.stringify(encodeError(error).body) }];
  }

  end(): ServerEvent[] {
    const sent: ServerEvent[] = [];
    for (const [index, state] of this.#candidates) {
      if (state.citations.length === 0) continue;
      sent.push(this.#event(encodeCandidate(index, [], this.#takeCitations(state))));
    }
    // Usage that came after the last candidate.
    if (!this.#isUsageSent) {
      this.#isUsageSent = true;
      sent.push({ data: JSON.stringify(encodeBody(this.#head, this.#usage, [])) });
    }
    return sent;
  }

  #pushCall(
    call: ToolCall | undefined,
    state: CandidateState,
    index: number,
    sent: ServerEvent[],
  ): void {
    if (call === undefined) return;
    sent.push(this.#event(encodeCandidate(index, this.#lastParts(call, state))));
  }

  /** The parts for a call, or for the end of an answer without one. */
  #lastParts(call: ToolCall | undefined, state: CandidateState): Json[] {
    const hasThinking = state.hasThinking && !state.isSigned;
    state.isSigned = true;
    return encodeParts(this.#head, {
      text: "",
      toolCalls: call === undefined ? [] : [call],
      hasThinking,
      isRefusal: state.refusal !== null,
    });
  }

  #takeCitations(state: CandidateState): Json {
    const encoded = encodeCitations(state.citations, state.text);
    state.citations = [];
    return encoded;
  }

  #event(candidate: Json): ServerEvent {
    this.#isUsageSent = true;
    return { data: JSON.stringify(encodeBody(this.#head, this.#usage, [candidate])) };
  }
}
