/**
 * Thinking that a server leaves in the text, between `<think>` and `</think>` at its beginning: what
 * vLLM, SGLang, Ollama and others do without a reasoning parser.
 *
 * @module
 */
import type { StreamEvent } from "../chat/stream_events.ts";

const OPEN = "<think>";
const CLOSE = "</think>";

/**
 * Takes thinking out of a whole text. Newer Qwen templates put the opening tag into the prompt, so
 * that only the closing one is in the answer.
 */
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

/** How many characters at the end of `text` may be the beginning of `tag`. */
function heldBack(text: string, tag: string): number {
  for (let length = Math.min(text.length, tag.length - 1); length > 0; length--) {
    if (tag.startsWith(text.slice(-length))) return length;
  }
  return 0;
}

/** Takes thinking out of a streamed text, wherever the stream cuts the tags. */
export class ThinkTagSplitter {
  #state: "start" | "thinking" | "after" | "content" = "start";
  #held = "";
  /** Whether any thinking has come. */
  #thought = false;

  /** Takes in the next piece and adds what is certain by now to `events`. */
  push(piece: string, events: StreamEvent[]): void {
    if (this.#state === "content") {
      if (piece !== "") events.push({ type: "text", text: piece });
      return;
    }
    const text = this.#held + piece;
    this.#held = "";
    switch (this.#state) {
      case "start":
        return this.#start(text, events);
      case "thinking":
        return this.#think(text, events);
      case "after":
        return this.#afterThinking(text, events);
    }
  }

  /** Adds what was held back, at the end of the stream. */
  flush(events: StreamEvent[]): void {
    const text = this.#held;
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
      this.#state = "content";
      events.push({ type: "text", text });
    }
  }

  #think(piece: string, events: StreamEvent[]): void {
    // The blanks after the tag belong to it, in whichever piece they come.
    const text = this.#thought ? piece : piece.trimStart();
    if (text === "") return;
    this.#thought = true;
    const close = text.indexOf(CLOSE);
    const thinking = close < 0
      ? text.slice(0, text.length - heldBack(text, CLOSE))
      : text.slice(0, close);
    if (thinking !== "") events.push({ type: "thinking", text: thinking });
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
