/**
 * Assembles one content block of a streamed answer into its form in a plain answer.
 *
 * Source: Anthropic API reference, "Streaming messages"; "Fine-grained tool streaming" (input that is not
 * valid JSON); the types of `@anthropic-ai/sdk` 1.12 (`BetaRawContentBlockDelta`).
 *
 * @module
 */
import type { StreamEvent } from "../../chat/events.ts";
import { asObject, asObjects, asText, type Json, parseExact } from "../../json/json.ts";
import { citationsOf } from "./citations.ts";
import { argumentsOf } from "./decode.ts";

/** The blocks that text belongs to, by the type of its delta. */
const BLOCK_OF_DELTA: Readonly<Record<string, string>> = {
  text_delta: "text",
  thinking_delta: "thinking",
};

/** Parses the input of a block; text that is not JSON is wrapped so that the API accepts it back. */
function parseInput(json: string): unknown {
  try {
    return parseExact(json);
  } catch {
    return { INVALID_JSON: json };
  }
}

/** Decodes one block. */
export class BlockDecoder {
  /** The block so far, as it goes back to the server. */
  readonly block: Json;
  /** The index of its tool call; `undefined` for other blocks. */
  readonly #call: number | undefined;
  /** The JSON of its input so far; `undefined` until any arrives. */
  #input: string | undefined;

  constructor(start: Json, call: number | undefined) {
    this.block = { ...start };
    this.#call = call;
  }

  /**
   * The missing start of the block of `delta`; `undefined` if the delta belongs to the open block `open`, or to
   * a block of unknown type.
   */
  static missingStart({ type }: Json, open: BlockDecoder | undefined): Json | undefined {
    const block = BLOCK_OF_DELTA[String(type)];
    if (block === undefined) return undefined;
    const other = block === "text" ? "thinking" : "text";
    return open === undefined || open.block.type === other ? { type: block } : undefined;
  }

  /** The UTF-16 code units that it adds to the answer's text. */
  get textLength(): number {
    return this.block.type === "text" ? asText(this.block.text)?.length ?? 0 : 0;
  }

  /** Returns the events for the initial content of the block. */
  start(): StreamEvent[] {
    const { type, id, name } = this.block;
    if (this.#call !== undefined) {
      const call = { id: asText(id) ?? "", name: asText(name) ?? "", arguments: "" };
      return [{ type: "tool_call", index: this.#call, ...call }];
    }
    if (type !== "text" && type !== "thinking") return [];
    const text = asText(this.block[type]);
    return text === undefined ? [] : [{ type, text }];
  }

  /** Adds a delta. */
  push(delta: Json): StreamEvent[] {
    const { block } = this;
    switch (delta.type) {
      case "text_delta":
        return this.#append("text", asText(delta.text));
      case "thinking_delta":
        return this.#append("thinking", asText(delta.thinking));
      case "citations_delta":
        block.citations = [...asObjects(block.citations), delta.citation];
        return [];
      case "input_json_delta": {
        const json = asText(delta.partial_json);
        if (json === undefined) return [];
        this.#input = (this.#input ?? "") + json;
        if (this.#call === undefined) return [];
        return [{ type: "tool_call", index: this.#call, arguments: json }];
      }
      default: {
        // Signatures and compaction arrive whole, and so may fields that are not known yet.
        const { type: _, ...fields } = delta;
        Object.assign(block, fields);
        return [];
      }
    }
  }

  #append(type: "text" | "thinking", text: string | undefined): StreamEvent[] {
    if (text === undefined) return [];
    this.block[type] = (asText(this.block[type]) ?? "") + text;
    // Text in blocks of unknown types is not part of the answer.
    return this.block.type === type ? [{ type, text }] : [];
  }

  /** Ends the block, which starts at `start` within the answer's text. */
  stop(start: number): StreamEvent[] {
    const { block } = this;
    if (block.type === "text") {
      return citationsOf(block, start).map((citation) => ({ type: "citation", citation }));
    }
    const json = this.#input?.trim();
    if (json) {
      block.input = parseInput(json);
      return [];
    }
    if (this.#call === undefined) return [];
    const text = argumentsOf(block.input);
    block.input = asObject(block.input) ?? parseInput(text);
    return [{ type: "tool_call", index: this.#call, arguments: text }];
  }
}
