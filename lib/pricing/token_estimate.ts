/**
 * Estimates the tokens of a request from its characters, in about a microsecond.
 *
 * Used to reserve tokens and money, where a tokenizer would be too slow. Compared with OpenAI's o200k_base
 * tokenizer, estimates for prose, code, JSON and Chinese are 0 to 40% too high, and for random letters and
 * digits (keys, base64) up to 30% too low, until {@link TokenEstimate.learn} corrects them.
 *
 * @module
 */
import { attachmentSize } from "./attachment_size.ts";
import type { ContentPart, Message } from "../chat/messages.ts";
import type { SamplingOptions } from "../chat/options.ts";
import type { Usage } from "../usage.ts";

/** Hundredths of a token per UTF-16 code unit. */
function codeUnitSizes(): Uint8Array {
  // Chinese, Japanese, Korean, symbols, arrows and dashes.
  const sizes = new Uint8Array(0x10000).fill(100);
  sizes.fill(48, 0x80, 0x2000);
  // Greek and Cyrillic letters form words, as Latin letters do.
  sizes.fill(35, 0x370, 0x530);
  // Surrogates: emoji and rare characters take up to three tokens.
  sizes.fill(120, 0xd800, 0xe000);
  sizes.fill(62, 0, 0x80);
  const set = (from: string, to: string, size: number) =>
    sizes.fill(size, from.charCodeAt(0), to.charCodeAt(0) + 1);
  set("a", "z", 27);
  // Rare in words but common in text that tokenizers split: names, keys, base64.
  set("A", "Z", 65);
  set("0", "9", 72);
  set("\t", "\t", 12);
  // A line break, including the indentation that follows.
  set("\n", "\n", 80);
  set(" ", " ", 12);
  return sizes;
}

const SIZES = codeUnitSizes();

/** Estimates the tokens of `text`. */
export function textSize(text: string): number {
  let hundredths = 0;
  for (let i = 0; i < text.length; i++) hundredths += SIZES[text.charCodeAt(i)];
  return hundredths / 100;
}

/** Tokens per message, in addition to its text. */
const PER_MESSAGE = 4;
/** Tokens per request, in addition to its messages. */
const PER_REQUEST = 3;

/** Counts or estimates the tokens of the parts of a request. */
export interface TokenCounter {
  text(text: string): number;
  /** Counts tools and schemas. */
  json(value: object): number;
}

function contentSize(
  content: string | readonly ContentPart[] | null | undefined,
  counter: TokenCounter,
): number {
  if (typeof content === "string") return counter.text(content);
  let size = 0;
  for (const part of content ?? []) {
    size += part.type === "text" ? counter.text(part.text) : attachmentSize(part, counter.text);
  }
  return size;
}

/** The options that add input tokens. */
type PromptOptions = Pick<SamplingOptions, "tools" | "responseFormat">;

/** Adds up the input tokens of a request. Reasoning of earlier turns is not counted. */
export function measureRequest(
  counter: TokenCounter,
  messages: readonly Message[],
  { tools, responseFormat }: PromptOptions = {},
): number {
  let size = PER_REQUEST;
  for (const message of messages) {
    size += PER_MESSAGE + contentSize(message.content, counter);
    if (message.role !== "assistant") continue;
    for (const { function: { name, arguments: text } } of message.tool_calls ?? []) {
      size += PER_MESSAGE + counter.text(name) + counter.text(text);
    }
  }
  if (tools !== undefined) size += counter.json(tools);
  if (responseFormat?.type === "json_schema") size += counter.json(responseFormat);
  return size;
}

/** Caches token counts by object: all requests of a batch share their tools and schemas. */
export function rememberJson(text: (text: string) => number): (value: object) => number {
  const known = new WeakMap<object, number>();
  return (value) => {
    let size = known.get(value);
    if (size === undefined) known.set(value, size = text(JSON.stringify(value)));
    return size;
  };
}

const SIZE: TokenCounter = { text: textSize, json: rememberJson(textSize) };

/**
 * Estimates the input tokens of a request: text by its characters, images by their detail, files and
 * audio by their bytes, tools and the response schema by their JSON.
 */
export function promptSize(messages: readonly Message[], options?: PromptOptions): number {
  return measureRequest(SIZE, messages, options);
}

/** The minimum estimate for a completion of unknown length. */
const MIN_COMPLETION = 1024;

/** Below this size, an error of the estimate is due to the server's own additions to a prompt, not its text. */
const SMALL_PROMPT = 200;

/**
 * The largest corrections. Without them, one wrong count, or one prompt with content that the server added, would
 * make every later request look too large for its limits.
 */
const MAX_RATIO = 4;
const MAX_ADDED = 4000;
const MAX_COMPLETION = 262_144;

/**
 * Corrects estimates with the usage that servers report. Corrections only increase, to cover the largest
 * error so far, up to a maximum.
 */
export class TokenEstimate {
  #ratio = 1;
  #added = 0;
  #completion = MIN_COMPLETION;

  /** The corrected estimate for a prompt of the given {@link promptSize}. */
  prompt(size: number): number {
    return Math.ceil(size * this.#ratio + this.#added);
  }

  /**
   * The maximum tokens of a completion: `maxTokens` if set. Otherwise the worst case is unknown, and this
   * is the longest completion so far, at least 1,024.
   */
  completion({ maxTokens }: Pick<SamplingOptions, "maxTokens">): number {
    return maxTokens ?? this.#completion;
  }

  /**
   * Updates the corrections with the usage of a completion.
   *
   * @param size the {@link promptSize}, uncorrected: requests in flight together were estimated before
   *   each other's usage was known
   */
  learn(size: number, { promptTokens, completionTokens }: Usage): void {
    if (promptTokens > size * this.#ratio + this.#added) {
      if (size < SMALL_PROMPT) {
        this.#added = Math.min(promptTokens - size * this.#ratio, MAX_ADDED);
      } else {
        this.#ratio = Math.min((promptTokens - this.#added) / size, MAX_RATIO);
      }
    }
    if (completionTokens > this.#completion) {
      this.#completion = Math.min(completionTokens, MAX_COMPLETION);
    }
  }
}
