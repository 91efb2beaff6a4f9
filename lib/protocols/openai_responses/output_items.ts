/**
 * Assembles the output items of a Responses stream and tracks what has been emitted of each. Deltas, `…done`
 * events and the final response repeat each other; each fills in what the previous ones lacked.
 *
 * Sources: OpenAI API reference, "Responses › Streaming events"; recorded streams of LM Studio (no
 * deltas of arguments), Copilot (new item ids in each event) and Bedrock (content indexes that continue
 * from item to item); public reports of the ChatGPT backend (an empty `output` at the end).
 *
 * @module
 */
import type { StreamEvent } from "../../chat/events.ts";
import { asObjects, type Json } from "../../json/json.ts";
import { decodeCitation } from "../citations.ts";
import { decodeToolCall, isCommentary, isToolCall, jsonValue } from "./decode.ts";
import { decodeTokens } from "../token_logprobs.ts";

/** The part of an item that a text belongs to. */
export type PartKind = "text" | "refusal" | "thinking";

interface Part {
  text: string;
  /** Its start within the answer. */
  offset: number;
  citations: number;
  logprobs: number;
}

interface Item {
  /** The latest version of the item. */
  raw: Json;
  /** Whether `raw` is complete. */
  isDone: boolean;
  /** The index of its tool call. */
  call: number | undefined;
  id: string | undefined;
  name: string | undefined;
  arguments: string;
  readonly parts: Map<string, Part>;
  /** Which form of its thinking is emitted: the summary or the text. */
  thoughts: string | undefined;
  /** Whether it is held back, because it may repeat the previous answer. */
  isHeld: boolean;
}

/** The output items of one stream. */
export class OutputItems {
  readonly #items: Item[] = [];
  readonly #byIndex = new Map<number, Item>();
  readonly #byId = new Map<string, Item>();
  #calls = 0;
  #hasThinking = false;
  #length = 0;

  /** The item that `event` belongs to. */
  of(event: Json): Item {
    const { output_index: index, item_id: id } = event;
    // Some servers make a new id for each event, but the index stays the same.
    const indexed = typeof index === "number" ? this.#byIndex.get(index) : undefined;
    const known = indexed ?? this.#byId.get(String(id));
    if (known !== undefined) return known;
    const last = this.#items.at(-1);
    const isUnmarked = index === undefined && id === undefined;
    return isUnmarked && last !== undefined ? last : this.#begin({}, index, id);
  }

  /** Adds an item that the server announces. */
  add(event: Json, raw: Json, events: StreamEvent[]): void {
    const item = this.#begin(raw, event.output_index, raw.id);
    this.#hold(item);
    if (isToolCall(raw)) this.#callEvent(item, "", events);
  }

  /** Completes an item. */
  finish(event: Json, raw: Json, events: StreamEvent[]): void {
    this.complete(this.of({ item_id: raw.id, ...event }), raw, events);
  }

  /** All items, in order; `final` takes precedence if it is not empty. */
  end(final: readonly Json[], events: StreamEvent[]): Json[] {
    for (const [index, raw] of final.entries()) {
      const known = this.#byIndex.get(index) ?? this.#byId.get(String(raw.id)) ??
        this.#items[index];
      const isSame = known !== undefined &&
        (known.raw.type === undefined || known.raw.type === raw.type);
      this.complete(isSame ? known : this.#begin(raw, index, raw.id), raw, events);
    }
    if (final.length > 0) return [...final];
    for (const item of this.#items) {
      if (!item.isDone) this.complete(item, assembled(item), events);
    }
    return this.#items.map(({ raw }) => raw).filter(({ type }) => type !== undefined);
  }

  /** Adds a delta of a call's arguments. */
  arguments(item: Item, text: string, events: StreamEvent[]): void {
    // xAI's own searches also have input.
    const isOther = item.raw.type !== undefined && !isToolCall(item.raw);
    if (text !== "" && !isOther) this.#callEvent(item, text, events);
  }

  /** Adds a delta of a text; `part` is the part of the item that it belongs to. */
  text(item: Item, part: string, kind: PartKind, text: string, events: StreamEvent[]): void {
    if (text === "" || !accepts(item, part, kind)) return;
    const isNew = !item.parts.has(part);
    const open = this.#part(item, part);
    open.text += text;
    if (item.isHeld) return;
    const isThinking = kind === "thinking" || (kind === "text" && isCommentary(item.raw));
    if (isThinking) {
      const separator = isNew && this.#hasThinking ? "\n\n" : "";
      this.#hasThinking = true;
      events.push({ type: "thinking", text: separator + text });
    } else {
      if (kind === "text") this.#length += text.length;
      events.push({ type: kind as "text" | "refusal", text });
    }
  }

  /** Emits what a complete text adds to the deltas so far. */
  rest(item: Item, part: string, kind: PartKind, whole: unknown, events: StreamEvent[]): void {
    if (typeof whole !== "string") return;
    const given = item.parts.get(part)?.text ?? "";
    if (whole.startsWith(given)) this.text(item, part, kind, whole.slice(given.length), events);
  }

  /** Adds the log probabilities of the next tokens of a text. */
  logprobs(item: Item, part: string, value: unknown, events: StreamEvent[]): void {
    if (item.isHeld || isCommentary(item.raw)) return;
    const logprobs = decodeTokens(value);
    if (logprobs.length === 0) return;
    this.#part(item, part).logprobs += logprobs.length;
    events.push({ type: "logprobs", logprobs });
  }

  /** Adds a citation in a text. */
  annotation(item: Item, part: string, raw: unknown, events: StreamEvent[]): void {
    if (item.isHeld || isCommentary(item.raw)) return;
    const open = this.#part(item, part);
    open.citations++;
    const citation = decodeCitation(raw, open.offset);
    if (citation !== undefined) events.push({ type: "citation", citation });
  }

  /** Emits what a complete item adds to the earlier events. */
  complete(item: Item, raw: Json, events: StreamEvent[]): void {
    item.raw = raw;
    item.isDone = true;
    if (item.parts.size === 0) this.#hold(item);
    if (isToolCall(raw)) this.#completeCall(item, raw, events);
    for (const [i, { text }] of asObjects(raw.summary).entries()) {
      this.rest(item, `summary ${i}`, "thinking", text, events);
    }
    this.#completeContent(item, asObjects(raw.content), events);
    if (item.isHeld) this.#release(item, events);
  }

  /** Emits what one complete part of its content adds. */
  completePart(item: Item, name: string, part: Json, events: StreamEvent[]): void {
    const isThinking = part.type === "reasoning_text" || item.raw.type === "reasoning";
    this.rest(item, name, isThinking ? "thinking" : "text", part.text, events);
    this.rest(item, name, "refusal", part.refusal, events);
    if (isThinking) return;
    this.restOfLogprobs(item, name, part.logprobs, events);
    const given = item.parts.get(name)?.citations ?? 0;
    for (const annotation of asObjects(part.annotations).slice(given)) {
      this.annotation(item, name, annotation, events);
    }
  }

  /** Adds the log probabilities of a complete list that have not arrived before. */
  restOfLogprobs(item: Item, part: string, whole: unknown, events: StreamEvent[]): void {
    const given = item.parts.get(part)?.logprobs ?? 0;
    if (Array.isArray(whole)) this.logprobs(item, part, whole.slice(given), events);
  }

  #begin(raw: Json, index: unknown, id: unknown): Item {
    const item: Item = {
      raw,
      call: undefined,
      id: undefined,
      name: undefined,
      arguments: "",
      parts: new Map(),
      thoughts: undefined,
      isDone: false,
      isHeld: false,
    };
    this.#items.push(item);
    if (typeof index === "number") this.#byIndex.set(index, item);
    if (typeof id === "string") this.#byId.set(id, item);
    return item;
  }

  #part(item: Item, name: string): Part {
    let part = item.parts.get(name);
    if (part === undefined) {
      part = { text: "", offset: this.#length, citations: 0, logprobs: 0 };
      item.parts.set(name, part);
    }
    return part;
  }

  #completeCall(item: Item, raw: Json, events: StreamEvent[]): void {
    const whole = decodeToolCall(raw, item.call ?? this.#calls).function.arguments;
    const text = whole.startsWith(item.arguments) ? whole.slice(item.arguments.length) : "";
    const isAnnounced = item.id !== undefined && item.name !== undefined;
    if (text !== "" || !isAnnounced) this.#callEvent(item, text, events);
  }

  #callEvent(item: Item, text: string, events: StreamEvent[]): void {
    const isNew = item.call === undefined;
    const index = item.call ??= this.#calls++;
    const event: StreamEvent = { type: "tool_call", index, arguments: text };
    item.arguments += text;
    if (isToolCall(item.raw)) {
      const { id, type, function: { name } } = decodeToolCall(item.raw, index);
      if (item.id === undefined) event.id = item.id = id;
      if (item.name === undefined && name !== "") event.name = item.name = name;
      if (isNew && type === "custom") event.kind = type;
    }
    events.push(event);
  }

  /** Holds back an answer that follows a JSON answer, until it is clear whether it repeats it. */
  #hold(item: Item): void {
    item.isHeld = item.raw.type === "message" && !isCommentary(item.raw) &&
      this.#items.some((other) => other !== item && isJsonAnswer(other));
  }

  /** Emits an answer that was held back, unless it is also JSON: then it is another version of the first. */
  #release(item: Item, events: StreamEvent[]): void {
    if (isJsonAnswer(item)) return;
    item.isHeld = false;
    item.parts.clear();
    this.#completeContent(item, asObjects(item.raw.content), events);
  }

  /** Emits what the complete parts of an item's content add to their deltas. */
  #completeContent(item: Item, content: readonly Json[], events: StreamEvent[]): void {
    const known = contentIndexes(item);
    // Bedrock's indexes continue from item to item, so only their order is reliable.
    const isShifted = known.some((index) => index >= content.length);
    for (const [i, part] of content.entries()) {
      const index = isShifted ? known[i] ?? i : i;
      this.completePart(item, `content ${index}`, part, events);
    }
  }
}

/** The indexes of the content parts so far, in order. */
function contentIndexes({ parts }: Item): number[] {
  return [...parts.keys()].filter((name) => name.startsWith("content "))
    .map((name) => Number(name.slice("content ".length))).sort((a, b) => a - b);
}

function isJsonAnswer({ raw, parts }: Item): boolean {
  if (raw.type !== "message" || isCommentary(raw)) return false;
  return jsonValue([...parts.values()].map(({ text }) => text).join("")) !== undefined;
}

/** Assembles an item whose end was never announced from its deltas. */
function assembled({ raw, arguments: text, parts }: Item): Json {
  if (raw.type === "function_call") return { ...raw, arguments: text || "{}" };
  if (raw.type === "custom_tool_call") return { ...raw, input: text };
  if (raw.type !== "message") return raw;
  const content = [...parts.values()].map(({ text }) => ({
    type: "output_text",
    text,
    annotations: [],
  }));
  return { ...raw, content };
}

/** Whether to emit a part: the answer, a refusal, or the chosen form of the item's thinking. */
function accepts(item: Item, part: string, kind: PartKind): boolean {
  if (kind !== "thinking") return true;
  const form = part.startsWith("summary") ? "summary" : "content";
  return (item.thoughts ??= form) === form;
}
