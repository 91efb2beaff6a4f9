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
import type { ResponseHead, ServerEvent, StreamEncoder } from "../serve.ts";
import {
  encodeBody,
  encodeCandidate,
  encodeCitations,
  encodeEnd,
  encodeLogprobs,
  encodeParts,
} from "./serve_result.ts";

/** The state of one candidate. */
class CandidateState {
  text = "";
  hasThinking = false;
  refusal: string | null = null;
  /** Calls are sent whole. */
  readonly toolCalls: ToolCall[] = [];
  citations: Citation[] = [];

  addCall(event: StreamEvent & { type: "tool_call" }): void {
    const { index, id, name, kind } = event;
    const call = this.toolCalls[index] ??= {
      id: "",
      type: kind ?? "function",
      function: { name: "", arguments: "" },
    };
    if (id !== undefined) call.id = id;
    if (name !== undefined) call.function.name = name;
    call.function.arguments += event.arguments;
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
          state.addCall(event);
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
          const { toolCalls, hasThinking, refusal } = state;
          const parts = encodeParts(this.#head.id, {
            text: "",
            toolCalls: toolCalls.filter((call) => call !== undefined),
            hasThinking,
            isRefusal: refusal !== null,
          });
          const end = encodeEnd(event.finishReason, refusal);
          const fields = { ...end, ...this.#takeCitations(state) };
          sent.push(this.#event(encodeCandidate(index, parts, fields)));
          break;
        }
      }
    }
    return sent;
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
