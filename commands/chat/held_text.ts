/**
 * Holds text back while it may still turn out to be thinking: some servers leave the opening tag of a
 * model's thinking in the prompt, and only the closing one says what the text before it was.
 *
 * @module
 */
import type { Thinking } from "../../lib/chat/options.ts";
import type { StreamEvent } from "../../lib/chat/stream_events.ts";
import { type ServiceName, serviceOfUrl } from "../../lib/providers/services.ts";

/** Servers that people run themselves, often without a parser for a model's thinking. */
const SELF_HOSTED: ReadonlySet<ServiceName | undefined> = new Set([
  undefined,
  "vllm",
  "sglang",
  "llamacpp",
  "lmstudio",
  "ollama",
]);

/** Models that think unless they are told not to. */
const THINKING_MODELS =
  /qwen-?3|qwq|deepseek-(r1|reasoner)|thinking|magistral|glm-(4\.[5-9]|[5-9])/i;

/** Whether the thinking of `model` at `baseUrl` may arrive as text without an opening tag. */
export function mayThinkUntagged(
  baseUrl: string,
  model: string | undefined,
  thinking: Thinking | undefined,
): boolean {
  if (thinking === false || !SELF_HOSTED.has(serviceOfUrl(baseUrl))) return false;
  return thinking !== undefined || THINKING_MODELS.test(model ?? "");
}

/** The events of one answer, in the order in which they can be shown. */
export class HeldText {
  #isHolding: boolean;
  #text = "";

  /** `isHolding` says whether text has to wait; see {@link mayThinkUntagged}. */
  constructor(isHolding: boolean) {
    this.#isHolding = isHolding;
  }

  /** What can be shown after `event`. */
  push(event: StreamEvent): StreamEvent[] {
    if (!this.#isHolding) return [event];
    switch (event.type) {
      case "text":
        this.#text += event.text;
        return [];
      case "thinking_end":
        return [...this.#release("thinking"), event];
      case "thinking":
      case "finish":
        // It comes apart from the answer, or the answer is over.
        return [...this.#release("text"), event];
      default:
        return [event];
    }
  }

  /** What is still held, when the answer has ended. */
  end(): StreamEvent[] {
    return this.#release("text");
  }

  #release(type: "text" | "thinking"): StreamEvent[] {
    const text = this.#text;
    this.#text = "";
    this.#isHolding = false;
    return text === "" ? [] : [{ type, text }];
  }
}
