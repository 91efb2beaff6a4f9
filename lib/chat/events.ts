/**
 * The events of a streamed completion, the same for every provider, and their accumulation.
 *
 * @module
 */
import type { PartialCompletion } from "../errors.ts";
import type { ChatResult, Citation, FinishReason, TokenLogprob } from "./result.ts";
import type { Usage } from "../usage.ts";
import { TextBuilder } from "./text_builder.ts";
import type { ToolCall } from "./tool_call.ts";

/** One event of a streamed completion. */
export type StreamEvent =
  /** A piece of the answer. */
  | { type: "text"; text: string }
  /** A piece of the model's thinking. */
  | { type: "thinking"; text: string }
  /**
   * All text so far was thinking: the server omitted the opening tag and has just sent the closing one.
   */
  | { type: "thinking_end" }
  /** A piece of the model's refusal to answer. */
  | { type: "refusal"; text: string }
  /** A source that the model cites. */
  | { type: "citation"; citation: Citation }
  /** The log probabilities of the next tokens. */
  | { type: "logprobs"; logprobs: TokenLogprob[] }
  /**
   * A piece of a tool call. `id` and `name` come with the first piece of each `index`, unless the server
   * sends them later.
   */
  | {
    type: "tool_call";
    index: number;
    id?: string;
    name?: string;
    arguments: string;
    /**
     * The kind of call.
     *
     * @default a function call
     */
    kind?: "custom";
  }
  /** Token counts of the whole answer so far; they replace those of earlier events. */
  | { type: "usage"; usage: Usage }
  /** Why the model stopped. */
  | { type: "finish"; finishReason: FinishReason };

/** Accumulates the events of one stream. */
export class StreamAccumulator {
  refusal: string | null = null;
  citations: Citation[] | undefined;
  logprobs: TokenLogprob[] | undefined;
  usage: Usage | null = null;
  finishReason: FinishReason | undefined;
  readonly #text = new TextBuilder();
  readonly #thinking = new TextBuilder();
  #hasThought = false;
  #toolCalls: ToolCall[] = [];

  /** The text so far, or the refusal if there is no text. */
  get content(): string {
    return this.#text.text || (this.refusal ?? "");
  }

  /** The thinking so far. */
  get thinking(): string | null {
    return this.#hasThought ? this.#thinking.text : null;
  }

  /** Adds events. Loops over events are in functions that are not async, which engines compile faster. */
  addAll(events: readonly StreamEvent[]): void {
    for (const event of events) this.add(event);
  }

  /** Adds an event. */
  add(event: StreamEvent): void {
    switch (event.type) {
      case "text":
        this.#text.add(event.text);
        break;
      case "thinking":
        this.#hasThought = true;
        this.#thinking.add(event.text);
        break;
      case "thinking_end":
        this.#endThinking();
        break;
      case "refusal":
        this.refusal = (this.refusal ?? "") + event.text;
        break;
      case "citation":
        (this.citations ??= []).push(event.citation);
        break;
      case "logprobs":
        // A loop: spreading would be slow, since each token may have its own event.
        for (const token of event.logprobs) (this.logprobs ??= []).push(token);
        break;
      case "tool_call": {
        const call = this.#toolCalls[event.index] ??= {
          id: "",
          type: "function",
          function: { name: "", arguments: "" },
        };
        if (event.id !== undefined) call.id = event.id;
        if (event.name !== undefined) call.function.name = event.name;
        if (event.kind !== undefined) call.type = event.kind;
        call.function.arguments += event.arguments;
        break;
      }
      case "usage":
        this.usage = event.usage;
        break;
      case "finish":
        this.finishReason = event.finishReason;
        break;
    }
  }

  #endThinking(): void {
    const thinking = (this.#thinking.text + this.#text.text).trim();
    this.#text.clear();
    this.#thinking.clear();
    this.#thinking.add(thinking);
    this.#hasThought = thinking !== "";
  }

  /** The tool calls so far, in order. */
  get toolCalls(): ToolCall[] {
    return this.#toolCalls.filter((call) => call !== undefined);
  }

  /** The completion. Call when the stream has ended. */
  completion(): Pick<
    ChatResult,
    | "content"
    | "thinking"
    | "refusal"
    | "citations"
    | "logprobs"
    | "toolCalls"
    | "usage"
    | "finishReason"
  > {
    return {
      content: this.content,
      thinking: this.thinking,
      refusal: this.refusal,
      citations: this.citations,
      logprobs: this.logprobs,
      toolCalls: this.toolCalls,
      usage: this.usage,
      finishReason: this.finishReason ?? "other",
    };
  }

  /** The part of the answer so far, for an error that ends the stream. */
  partial(): PartialCompletion {
    const { content, thinking, usage } = this;
    return usage === null ? { content, thinking } : { content, thinking, usage };
  }
}

/** The events of a complete answer, as if it had been streamed. */
export function eventsOf(
  completion: Pick<
    ChatResult,
    | "thinking"
    | "content"
    | "toolCalls"
    | "finishReason"
    | "usage"
    | "citations"
    | "logprobs"
    | "refusal"
  >,
): StreamEvent[] {
  const events: StreamEvent[] = [];
  if (completion.thinking) events.push({ type: "thinking", text: completion.thinking });
  const { content, refusal } = completion;
  if (content && content !== refusal) events.push({ type: "text", text: content });
  if (refusal) events.push({ type: "refusal", text: refusal });
  for (const citation of completion.citations ?? []) events.push({ type: "citation", citation });
  if (completion.logprobs) events.push({ type: "logprobs", logprobs: completion.logprobs });
  for (const [index, call] of completion.toolCalls.entries()) {
    const kind = call.type === "custom" ? call.type : undefined;
    events.push({ type: "tool_call", index, id: call.id, ...call.function, kind });
  }
  events.push({ type: "finish", finishReason: completion.finishReason });
  if (completion.usage) events.push({ type: "usage", usage: completion.usage });
  return events;
}
