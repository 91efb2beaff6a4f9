/**
 * The events of a streamed completion, the same for every provider, and how they add up.
 *
 * @module
 */
import type { PartialCompletion } from "../errors.ts";
import type { ChatResult, FinishReason, ToolCall, Usage } from "./result.ts";

/** One event of a streamed completion. */
export type StreamEvent =
  /** A piece of the answer. */
  | { type: "text"; text: string }
  /** A piece of the model's thinking. */
  | { type: "thinking"; text: string }
  /** A piece of a tool call; `id` and `name` come with the first piece of each `index`. */
  | { type: "tool_call"; index: number; id?: string; name?: string; arguments: string }
  /** Token counts; a later one replaces an earlier one. */
  | { type: "usage"; usage: Usage }
  /** Why the model stopped. */
  | { type: "finish"; finishReason: FinishReason };

/** Adds up the events of one stream. */
export class StreamAccumulator {
  content = "";
  thinking: string | null = null;
  usage: Usage | null = null;
  finishReason: FinishReason | undefined;
  #toolCalls: ToolCall[] = [];

  /** Takes in the next event. */
  add(event: StreamEvent): void {
    switch (event.type) {
      case "text":
        this.content += event.text;
        break;
      case "thinking":
        this.thinking = (this.thinking ?? "") + event.text;
        break;
      case "tool_call": {
        const call = this.#toolCalls[event.index] ??= {
          id: "",
          type: "function",
          function: { name: "", arguments: "" },
        };
        if (event.id !== undefined) call.id = event.id;
        if (event.name !== undefined) call.function.name = event.name;
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

  /** The tool calls so far, in order. */
  get toolCalls(): ToolCall[] {
    return this.#toolCalls.filter((call) => call !== undefined);
  }

  /** What an error that ends the stream now should keep. */
  partial(): PartialCompletion {
    return { content: this.content, thinking: this.thinking };
  }
}

/** The events that a whole answer would have had as a stream. */
export function eventsOf(
  completion: Pick<ChatResult, "thinking" | "content" | "toolCalls" | "finishReason" | "usage">,
): StreamEvent[] {
  const events: StreamEvent[] = [];
  if (completion.thinking) events.push({ type: "thinking", text: completion.thinking });
  if (completion.content) events.push({ type: "text", text: completion.content });
  for (const [index, call] of completion.toolCalls.entries()) {
    events.push({ type: "tool_call", index, id: call.id, ...call.function });
  }
  events.push({ type: "finish", finishReason: completion.finishReason });
  if (completion.usage) events.push({ type: "usage", usage: completion.usage });
  return events;
}
