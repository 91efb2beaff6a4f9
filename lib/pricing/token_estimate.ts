/**
 * How many tokens a request may come to, told from its characters in about a microsecond: for
 * reservations and limits of tokens a minute, where a tokenizer would cost more than the request.
 *
 * Against OpenAI's o200k_base tokenizer: prose, code, JSON and Chinese come out 0 to 40% too high,
 * random letters and digits (keys, base64) up to 30% too low, until {@link TokenEstimate.learn}
 * has seen one.
 *
 * @module
 */
import { attachmentSize } from "./attachment_size.ts";
import type { ContentPart, Message } from "../chat/messages.ts";
import type { SamplingOptions } from "../chat/options.ts";
import type { Usage } from "../usage.ts";

/** Hundredths of a token, by UTF-16 unit. */
function sizesOfUnits(): Uint8Array {
  // Chinese, Japanese and Korean; symbols, arrows, dashes.
  const sizes = new Uint8Array(0x10000).fill(100);
  sizes.fill(48, 0x80, 0x2000);
  // Greek and Cyrillic letters stand in words as Latin ones do.
  sizes.fill(35, 0x370, 0x530);
  // Halves of emoji and of rare characters, which are up to three tokens.
  sizes.fill(120, 0xd800, 0xe000);
  sizes.fill(62, 0, 0x80);
  const set = (from: string, to: string, size: number) =>
    sizes.fill(size, from.charCodeAt(0), to.charCodeAt(0) + 1);
  set("a", "z", 27);
  // Rare in words, and common in what no tokenizer knows: names, keys, base64.
  set("A", "Z", 65);
  set("0", "9", 72);
  set("\t", "\t", 12);
  // A line break and what indents the next line.
  set("\n", "\n", 80);
  set(" ", " ", 12);
  return sizes;
}

const SIZES = sizesOfUnits();

/** About how many tokens `text` has. */
export function textSize(text: string): number {
  let hundredths = 0;
  for (let i = 0; i < text.length; i++) hundredths += SIZES[text.charCodeAt(i)];
  return hundredths / 100;
}

/** What each message and the whole conversation cost beside their text. */
const PER_MESSAGE = 4;
const PER_REQUEST = 3;

/** How the parts of a request are measured. */
export interface Measure {
  text(text: string): number;
  /** Tools and schemas. */
  json(value: object): number;
}

function contentSize(
  content: string | readonly ContentPart[] | null | undefined,
  measure: Measure,
): number {
  if (typeof content === "string") return measure.text(content);
  let size = 0;
  for (const part of content ?? []) {
    size += part.type === "text" ? measure.text(part.text) : attachmentSize(part, measure.text);
  }
  return size;
}

/** What of the options is sent to be read. */
type ReadOptions = Pick<SamplingOptions, "tools" | "responseFormat">;

/** Adds up what a request reads. Earlier thinking that is sent back is not counted. */
export function measureRequest(
  measure: Measure,
  messages: readonly Message[],
  { tools, responseFormat }: ReadOptions = {},
): number {
  let size = PER_REQUEST;
  for (const message of messages) {
    size += PER_MESSAGE + contentSize(message.content, measure);
    if (message.role !== "assistant") continue;
    for (const { function: { name, arguments: text } } of message.tool_calls ?? []) {
      size += PER_MESSAGE + measure.text(name) + measure.text(text);
    }
  }
  if (tools !== undefined) size += measure.json(tools);
  if (responseFormat?.type === "json_schema") size += measure.json(responseFormat);
  return size;
}

/** Tools and schemas are the same objects for all requests of a batch, so each is measured once. */
export function rememberJson(text: (text: string) => number): (value: object) => number {
  const known = new WeakMap<object, number>();
  return (value) => {
    let size = known.get(value);
    if (size === undefined) known.set(value, size = text(JSON.stringify(value)));
    return size;
  };
}

const SIZE: Measure = { text: textSize, json: rememberJson(textSize) };

/**
 * Estimates the input tokens of a request: text by its characters, images by their detail, files and audio
 * by their bytes, tools and the schema of the answer by their JSON.
 */
export function promptSize(messages: readonly Message[], options?: ReadOptions): number {
  return measureRequest(SIZE, messages, options);
}

/** A completion of unknown length is taken to have at least this many tokens. */
const LEAST_COMPLETION = 1024;

/** Below this size it is what is added to a prompt that makes the difference, not its text. */
const SMALL_PROMPT = 200;

/**
 * Turns sizes into tokens, and learns from what servers count. It only ever goes up: the largest
 * surprise so far is expected again.
 */
export class TokenEstimate {
  #ratio = 1;
  #added = 0;
  #completion = LEAST_COMPLETION;

  /** The tokens of a prompt of the given {@link promptSize}. */
  prompt(size: number): number {
    return Math.ceil(size * this.#ratio + this.#added);
  }

  /**
   * The most tokens of an answer: `maxTokens` when it is given. Without it the worst case cannot be
   * known; this is then the longest answer so far, and at least 1,024.
   */
  completion({ maxTokens }: Pick<SamplingOptions, "maxTokens">): number {
    return maxTokens ?? this.#completion;
  }

  /**
   * Learns from an answer to a prompt of the given size. Its size, not what it was estimated at: of
   * many requests in flight each was estimated before the others' answers.
   */
  learn(size: number, { promptTokens, completionTokens }: Usage): void {
    if (promptTokens > size * this.#ratio + this.#added) {
      if (size < SMALL_PROMPT) this.#added = promptTokens - size * this.#ratio;
      else this.#ratio = (promptTokens - this.#added) / size;
    }
    if (completionTokens > this.#completion) this.#completion = completionTokens;
  }
}
