/**
 * Separates thinking from text if a server sends both together, as `<think>…</think>` at the start.
 *
 * vLLM, SGLang, Ollama and others do that without a reasoning parser. Newer Qwen templates put the opening
 * tag into the prompt, so that the answer only contains the closing one.
 *
 * Source: vLLM documentation, "Reasoning Outputs".
 *
 * @module
 */
import type { StreamEvent } from "../chat/events.ts";
import { isOpenAIModel } from "./openai_model_features.ts";
import type { Endpoint } from "./protocol.ts";
import type { Service } from "./service.ts";

const OPEN = "<think>";
const CLOSE = "</think>";

/** Models whose thinking always comes in separate fields: tags in their text are quotations. */
const NEVER_TAGGED = /(^|[/.:])(claude|gemini|grok)/i;

/** Whether an answer of `model`, as the server names it, may contain thinking in tags. */
export function mayTagThinking(endpoint: Endpoint | undefined, model: string | undefined): boolean {
  const { service, openaiModelsOnly } = endpoint ?? {};
  if (!openaiModelsOnly && service?.thinkTags === false) return false;
  return model === undefined || (!isOpenAIModel(model) && !NEVER_TAGGED.test(model));
}

/** Whether a complete text may contain a tag: cheaper than looking at the model, and nearly always false. */
export function mayHaveTag(text: string): boolean {
  // Bun searches for one character ten times as fast.
  return text.includes("<") && text.includes("think>");
}

/** Models that think in every answer, by the names under which they are served. */
const ALWAYS_THINKS = /qwq|thinking|reason|magistral|(^|[-_/.:])r1([-_/.:]|$)/i;

/**
 * Whether an answer is known to begin with thinking, so that text without tags may still turn out to be
 * thinking: by the model's name, or because the request enabled thinking on a self-hosted server.
 */
export function isKnownToThink(
  model: string | undefined,
  isThinkingRequested: boolean,
  service: Service | undefined,
): boolean {
  return (isThinkingRequested && (service === undefined || service.selfHosted === true)) ||
    (model !== undefined && ALWAYS_THINKS.test(model));
}

/** Separates the thinking from a complete text. */
export function splitThinking(text: string): { thinking: string | null; content: string } {
  const start = text.trimStart();
  const close = start.indexOf(CLOSE);
  if (!start.startsWith(OPEN)) {
    const isThinking = close >= 0 && !start.slice(0, close).includes(OPEN);
    if (!isThinking) return { thinking: null, content: text };
  }
  const from = start.startsWith(OPEN) ? OPEN.length : 0;
  const to = close < 0 ? start.length : close;
  return {
    thinking: start.slice(from, to).trim() || null,
    content: close < 0 ? "" : start.slice(close + CLOSE.length).trimStart(),
  };
}

/** Returns how many characters at the end of `text` may be the beginning of one of `tags`. */
function heldBack(text: string, tags: readonly string[]): number {
  const from = text.lastIndexOf("<");
  if (from < 0) return 0;
  const end = text.slice(from);
  return tags.some((tag) => tag.startsWith(end)) ? end.length : 0;
}

/**
 * Separates the thinking from a streamed text, wherever the stream splits the tags. If a closing tag was
 * never opened, the text before it has already been emitted as text, and `thinking_end` marks it as
 * thinking. Only for models that are known to think is that text held back until the tag decides.
 */
export class ThinkTagSplitter {
  #state: "start" | "thinking" | "after" | "unopened" | "waiting" | "content" = "start";
  #held = "";
  /** Whether any thinking has arrived. */
  #thought = false;
  #holdsBack = false;
  /** The text that is held back, in chunks: joining and searching all of it each time would be slow. */
  readonly #waiting: string[] = [];

  /** Whether all further text is the answer. */
  disable(): void {
    if (this.#state === "start") this.#state = "content";
  }

  /** Whether to hold back text without tags until a tag shows whether it is thinking. */
  holdBack(): void {
    this.#holdsBack = true;
  }

  /** Processes the next chunk and adds the events that are certain by now to `events`. */
  push(piece: string, events: StreamEvent[]): void {
    const text = this.#held === "" ? piece : this.#held + piece;
    this.#held = "";
    if (text === "") return;
    switch (this.#state) {
      case "start":
        return this.#start(text, events);
      case "thinking":
        return this.#think(text, events);
      case "after":
        return this.#afterThinking(text, events);
      case "unopened":
        return this.#findClose(text, events);
      case "waiting":
        return this.#wait(text, piece, events);
      case "content":
        events.push({ type: "text", text });
    }
  }

  /** Emits what was held back, at the end of the stream. */
  flush(events: StreamEvent[]): void {
    const text = this.#state === "thinking"
      ? this.#held.trimEnd()
      : this.#state === "waiting"
      ? this.#waiting.join("")
      : this.#held;
    this.#held = "";
    this.#waiting.length = 0;
    if (text === "") return;
    events.push({ type: this.#state === "thinking" ? "thinking" : "text", text });
  }

  #start(text: string, events: StreamEvent[]): void {
    const start = text.trimStart();
    if (start.startsWith(OPEN)) {
      this.#state = "thinking";
      this.#think(start.slice(OPEN.length), events);
    } else if (OPEN.startsWith(start)) {
      this.#held = text;
    } else if (this.#holdsBack) {
      this.#state = "waiting";
      this.#wait(text, text, events);
    } else {
      this.#state = "unopened";
      this.#findClose(text, events);
    }
  }

  /** Looks for a tag in `text`: the last `piece`, preceded by the end of what came before it. */
  #wait(text: string, piece: string, events: StreamEvent[]): void {
    this.#waiting.push(piece);
    if (!text.includes(CLOSE) && !text.includes(OPEN)) {
      this.#held = text.slice(-CLOSE.length);
      return;
    }
    const whole = this.#waiting.join("");
    const close = whole.indexOf(CLOSE);
    const open = whole.indexOf(OPEN);
    if (close < 0 || (open >= 0 && open < close)) {
      // An opening tag in the middle is a quotation.
      this.#state = "content";
      events.push({ type: "text", text: whole });
      return;
    }
    const thinking = whole.slice(0, close).trim();
    if (thinking !== "") events.push({ type: "thinking", text: thinking });
    this.#state = "after";
    this.#afterThinking(whole.slice(close + CLOSE.length), events);
  }

  /** Looks for a closing tag without an opening one before it. */
  #findClose(text: string, events: StreamEvent[]): void {
    if (!text.includes("<")) {
      events.push({ type: "text", text });
      return;
    }
    const close = text.indexOf(CLOSE);
    const open = text.indexOf(OPEN);
    if (open >= 0 && (close < 0 || open < close)) {
      this.#state = "content";
      events.push({ type: "text", text });
    } else if (close >= 0) {
      const before = text.slice(0, close);
      if (before !== "") events.push({ type: "text", text: before });
      events.push({ type: "thinking_end" });
      this.#state = "after";
      this.#afterThinking(text.slice(close + CLOSE.length), events);
    } else {
      const held = heldBack(text, [OPEN, CLOSE]);
      const certain = held === 0 ? text : text.slice(0, -held);
      if (held > 0) this.#held = text.slice(-held);
      if (certain !== "") events.push({ type: "text", text: certain });
    }
  }

  #think(piece: string, events: StreamEvent[]): void {
    // Whitespace after the tag belongs to the tag, in whichever chunk it arrives.
    const text = this.#thought ? piece : piece.trimStart();
    if (text === "") return;
    const close = text.indexOf(CLOSE);
    const end = close < 0 ? text.length - heldBack(text, [CLOSE]) : close;
    // So does whitespace before the closing tag.
    const thinking = text.slice(0, end).trimEnd();
    if (thinking !== "") {
      this.#thought = true;
      events.push({ type: "thinking", text: thinking });
    }
    if (close < 0) {
      this.#held = text.slice(thinking.length);
      return;
    }
    this.#state = "after";
    this.#afterThinking(text.slice(close + CLOSE.length), events);
  }

  /** Drops blank lines between the thinking and the answer. */
  #afterThinking(text: string, events: StreamEvent[]): void {
    const content = text.trimStart();
    if (content === "") return;
    this.#state = "content";
    events.push({ type: "text", text: content });
  }
}
