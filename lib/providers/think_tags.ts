/**
 * Thinking that a server leaves in the text, between `<think>` and `</think>` at its beginning: what
 * vLLM, SGLang, Ollama and others do without a reasoning parser. Newer Qwen templates put the opening
 * tag into the prompt, so that only the closing one is in the answer.
 *
 * Source: vLLM documentation, "Reasoning Outputs".
 *
 * @module
 */
import type { StreamEvent } from "../chat/stream_events.ts";
import { isOpenAIModel } from "./openai_models.ts";
import type { Endpoint } from "./provider.ts";
import { service } from "./services.ts";

const OPEN = "<think>";
const CLOSE = "</think>";

/** Models whose providers always send thinking in separate fields: tags in their text are quotations. */
const NEVER_TAGGED = /(^|[/.:])(claude|gemini|grok)/i;

/** Whether thinking can come in tags in an answer of `model`, as the server names it. */
export function mayTagThinking(endpoint: Endpoint | undefined, model: string | undefined): boolean {
  const { service: name, openaiModelsOnly } = endpoint ?? {};
  if (name !== undefined && !openaiModelsOnly && service(name).thinkTags === false) return false;
  return model === undefined || (!isOpenAIModel(model) && !NEVER_TAGGED.test(model));
}

/** Extracts the thinking from a complete text. */
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

/** How many characters at the end of `text` may be the beginning of one of `tags`. */
function heldBack(text: string, tags: readonly string[]): number {
  const from = text.lastIndexOf("<");
  if (from < 0) return 0;
  const end = text.slice(from);
  return tags.some((tag) => tag.startsWith(end)) ? end.length : 0;
}

/**
 * Extracts the thinking from a streamed text, wherever the stream splits the tags. Text before a closing
 * tag that was never opened has already been emitted by then: `thinking_end` marks it as thinking.
 */
export class ThinkTagSplitter {
  #state: "start" | "thinking" | "after" | "unopened" | "content" = "start";
  #held = "";
  /** Whether any thinking has come. */
  #thought = false;

  /** All further text is the answer. */
  disable(): void {
    if (this.#state === "start") this.#state = "content";
  }

  /** Takes in the next piece and adds what is certain by now to `events`. */
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
      case "content":
        events.push({ type: "text", text });
    }
  }

  /** Adds what was held back, at the end of the stream. */
  flush(events: StreamEvent[]): void {
    const text = this.#state === "thinking" ? this.#held.trimEnd() : this.#held;
    this.#held = "";
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
    } else {
      this.#state = "unopened";
      this.#findClose(text, events);
    }
  }

  /** Looks for a closing tag without an opening one before it. */
  #findClose(text: string, events: StreamEvent[]): void {
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
    // The blanks after the tag belong to it, in whichever piece they come.
    const text = this.#thought ? piece : piece.trimStart();
    if (text === "") return;
    const close = text.indexOf(CLOSE);
    const end = close < 0 ? text.length - heldBack(text, [CLOSE]) : close;
    // So do the blanks before the closing tag.
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

  /** The blank lines between the thinking and the answer belong to neither. */
  #afterThinking(text: string, events: StreamEvent[]): void {
    const content = text.trimStart();
    if (content === "") return;
    this.#state = "content";
    events.push({ type: "text", text: content });
  }
}
