/**
 * The output items of a streamed response while their content arrives.
 *
 * Source: OpenAI API reference, "Responses › Streaming events".
 *
 * @module
 */
import type { StreamEvent } from "../../chat/events.ts";
import type { TokenLogprob } from "../../chat/result.ts";
import type { ToolCall } from "../../chat/tool_call.ts";
import type { Json } from "../../json/json.ts";
import type { ResponseHead } from "../serve.ts";
import {
  callItem,
  encodeAnnotation,
  encodeLogprobs,
  messageItem,
  reasoningItem,
} from "./serve_output.ts";
import type { ClientTools } from "./serve_tools.ts";

type ToolCallEvent = StreamEvent & { type: "tool_call" };

/** An item that is being streamed. Its methods return the fields of the events to send. */
export interface OpenItem {
  /** The fields that locate the item in all its events. */
  readonly position: { item_id: unknown; output_index: number };
  /** The item before any content. */
  readonly started: Json;
  /** Whether an event belongs to it. */
  takes(event: StreamEvent): boolean;
  /** Adds an event; `logprobs` are those of its text. */
  push(event: StreamEvent, logprobs: readonly TokenLogprob[]): Json[];
  /** Closes the open part. */
  end(): Json[];
  /** The whole item; `isTruncated` means that the answer hit its token limit. */
  finished(isTruncated: boolean): Json;
}

/** Reasoning, as one part of a summary. */
export class OpenReasoning implements OpenItem {
  readonly position: OpenItem["position"];
  readonly started: Json;
  readonly #head: ResponseHead;
  readonly #suffix: string;
  #text = "";
  #hasPart = false;

  constructor(output_index: number, head: ResponseHead, suffix: string) {
    this.#head = head;
    this.#suffix = suffix;
    this.started = { ...reasoningItem(head, "", suffix), summary: [] };
    this.position = { item_id: this.started.id, output_index };
  }

  takes({ type }: StreamEvent): boolean {
    return type === "thinking";
  }

  push(event: StreamEvent): Json[] {
    if (event.type !== "thinking") return [];
    const part = { type: "summary_text", text: "" };
    const started = this.#hasPart ? [] : [this.#event("_part.added", { part })];
    this.#hasPart = true;
    this.#text += event.text;
    return [...started, this.#event("_text.delta", { delta: event.text })];
  }

  end(): Json[] {
    const text = this.#text;
    return [
      this.#event("_text.done", { text }),
      this.#event("_part.done", { part: { type: "summary_text", text } }),
    ];
  }

  finished(): Json {
    return reasoningItem(this.#head, this.#text, this.#suffix);
  }

  #event(name: string, fields: Json): Json {
    const type = `response.reasoning_summary${name}`;
    return { type, ...this.position, summary_index: 0, ...fields };
  }
}

/** The events for the arguments of calls; calls of other types come whole. */
const ARGUMENT_EVENTS: Readonly<Record<string, string>> = {
  function_call: "response.function_call_arguments",
  custom_tool_call: "response.custom_tool_call_input",
};

/** A tool call. */
export class OpenToolCall implements OpenItem {
  readonly position: OpenItem["position"];
  readonly started: Json;
  readonly #index: number;
  readonly #call: ToolCall;
  readonly #tools: ClientTools;
  /** What the names of the events about its arguments begin with; absent if there are none. */
  readonly #events: string | undefined;

  constructor(
    output_index: number,
    { index, id = "", name = "", kind }: ToolCallEvent,
    tools: ClientTools,
  ) {
    this.#index = index;
    this.#call = { id, type: kind ?? "function", function: { name, arguments: "" } };
    this.#tools = tools;
    const item = callItem(this.#call, tools);
    this.#events = ARGUMENT_EVENTS[String(item.type)];
    this.started = item.type === "custom_tool_call"
      ? { ...item, input: "" }
      : { ...item, ...this.#events && { arguments: "" }, status: "in_progress" };
    this.position = { item_id: item.id, output_index };
  }

  takes(event: StreamEvent): boolean {
    return event.type === "tool_call" && event.index === this.#index;
  }

  push(event: StreamEvent): Json[] {
    if (event.type !== "tool_call" || event.arguments === "") return [];
    this.#call.function.arguments += event.arguments;
    if (this.#events === undefined) return [];
    return [{ type: `${this.#events}.delta`, ...this.position, delta: event.arguments }];
  }

  end(): Json[] {
    if (this.#events === undefined) return [];
    const { name, input, arguments: text } = this.finished();
    const fields = this.#call.type === "custom" ? { input } : { name, arguments: text };
    return [{ type: `${this.#events}.done`, ...this.position, ...fields }];
  }

  finished(): Json {
    return callItem(this.#call, this.#tools);
  }
}

function emptyPart(type: "output_text" | "refusal"): Json {
  return type === "refusal"
    ? { type, refusal: "" }
    : { type, text: "", annotations: [], logprobs: [] };
}

/** A message, which has a part for its text and one for its refusal. */
export class OpenMessage implements OpenItem {
  readonly position: OpenItem["position"];
  readonly started: Json;
  readonly #id: string;
  readonly #parts: Json[] = [];
  /** The open part, the last of `#parts`. */
  #part: Json | undefined;

  constructor(output_index: number, id: string) {
    this.#id = id;
    this.started = { ...messageItem(id, [], false), status: "in_progress" };
    this.position = { item_id: this.started.id, output_index };
  }

  takes({ type }: StreamEvent): boolean {
    return ["text", "refusal", "citation", "logprobs"].includes(type);
  }

  push(event: StreamEvent, logprobs: readonly TokenLogprob[]): Json[] {
    const changes = this.#open(event.type === "refusal" ? "refusal" : "output_text");
    const part = this.#part!;
    switch (event.type) {
      case "text":
      case "logprobs": {
        const delta = event.type === "text" ? event.text : "";
        const encoded = encodeLogprobs(event.type === "text" ? logprobs : event.logprobs);
        part.text += delta;
        for (const one of encoded) (part.logprobs as Json[]).push(one);
        changes.push(this.#event("response.output_text.delta", { delta, logprobs: encoded }));
        break;
      }
      case "citation": {
        if (event.citation.url === undefined) break;
        const annotations = part.annotations as Json[];
        const annotation = encodeAnnotation(event.citation, String(part.text).length);
        const annotation_index = annotations.push(annotation) - 1;
        const fields = { annotation_index, annotation };
        changes.push(this.#event("response.output_text.annotation.added", fields));
        break;
      }
      case "refusal":
        part.refusal += event.text;
        changes.push(this.#event("response.refusal.delta", { delta: event.text }));
        break;
    }
    return changes;
  }

  end(): Json[] {
    return [...this.#parts.length === 0 ? this.#open("output_text") : [], ...this.#closePart()];
  }

  finished(isTruncated: boolean): Json {
    return messageItem(this.#id, this.#parts, isTruncated);
  }

  /** Opens a part of `type`, unless it is open. */
  #open(type: "output_text" | "refusal"): Json[] {
    if (this.#part?.type === type) return [];
    const closed = this.#closePart();
    this.#part = emptyPart(type);
    this.#parts.push(this.#part);
    return [...closed, this.#event("response.content_part.added", { part: emptyPart(type) })];
  }

  #closePart(): Json[] {
    const part = this.#part;
    if (part === undefined) return [];
    const done = part.type === "refusal"
      ? this.#event("response.refusal.done", { refusal: part.refusal })
      : this.#event("response.output_text.done", { text: part.text, logprobs: part.logprobs });
    const end = this.#event("response.content_part.done", { part });
    this.#part = undefined;
    return [done, end];
  }

  #event(type: string, fields: Json): Json {
    return { type, ...this.position, content_index: this.#parts.length - 1, ...fields };
  }
}
