/**
 * What a batch will take, before anything is sent.
 *
 * @module
 */
import type { BatchRecord } from "../batch/batch.ts";
import type { Message } from "../chat/messages.ts";
import type { Pricer } from "./price.ts";
import { loadTokenizer } from "./tokenizer.ts";

/** What one model is asked for. */
export interface ModelEstimate {
  model: string;
  records: number;
  /** Tokens to read. */
  promptTokens: number;
  /** The most tokens to write; `null` when some record sets no limit. */
  maxCompletionTokens: number | null;
  /** USD for what is read; `null` when the price is not known. */
  promptCost: number | null;
  /** USD at most; `null` when that, or the price, is not known. */
  maxCost: number | null;
  /** USD for 1,000 tokens written; `null` when the price is not known. */
  costPerThousand: number | null;
}

/** What a batch will take. */
export interface BatchEstimate {
  models: ModelEstimate[];
  /** Images, whose tokens are counted with a fixed number each. */
  images: number;
  /** Whether only the first part was counted and the rest reckoned from it. */
  sampled: boolean;
}

/** How records are asked for that say nothing else. */
export interface EstimateOptions {
  model: string;
  maxTokens: number | undefined;
  price: Pricer;
}

/** What a message has beside its text. Source: OpenAI's cookbook, "How to count tokens". */
const MESSAGE = 4;
/** What begins the answer. */
const ANSWER = 3;
/** A large image at full detail. */
const IMAGE = 1600;
/** Characters that are counted; of the rest a tokenizer would need minutes. */
const COUNTED = 20_000_000;

interface Sums {
  records: number;
  promptTokens: number;
  completionTokens: number;
  isLimited: boolean;
}

/** Counts the tokens of texts, of a very long input by what its beginning had. */
class Counter {
  readonly #count: (text: string) => number;
  #characters = 0;
  #tokens = 0;
  images = 0;
  sampled = false;

  constructor(count: (text: string) => number) {
    this.#count = count;
  }

  #text(text: string): number {
    if (this.#characters >= COUNTED) {
      this.sampled = true;
      return text.length * this.#tokens / this.#characters;
    }
    const tokens = this.#count(text);
    this.#characters += text.length;
    this.#tokens += tokens;
    return tokens;
  }

  messages(messages: readonly Message[]): number {
    let tokens = ANSWER;
    for (const message of messages) {
      tokens += MESSAGE;
      if (typeof message.content === "string") tokens += this.#text(message.content);
      else {
        for (const part of message.content ?? []) {
          if (part.type === "text") tokens += this.#text(part.text);
          else {
            this.images++;
            tokens += IMAGE;
          }
        }
      }
    }
    return tokens;
  }
}

function modelEstimate(model: string, sums: Sums, price: Pricer): ModelEstimate {
  const cost = (promptTokens: number, completionTokens: number) =>
    price(model, { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens });
  const { records, completionTokens, isLimited } = sums;
  const promptTokens = Math.round(sums.promptTokens);
  // By the average record, since long prompts may have another price.
  const perRecord = cost(promptTokens / records, 0);
  const promptCost = perRecord === null ? null : perRecord * records;
  const thousand = cost(0, 1000);
  const written = cost(0, completionTokens);
  return {
    model,
    records,
    promptTokens,
    maxCompletionTokens: isLimited ? completionTokens : null,
    promptCost,
    maxCost: !isLimited || promptCost === null || written === null ? null : promptCost + written,
    costPerThousand: thousand,
  };
}

/** Reckons what `records` will take. Reads them once, in flat memory; sends nothing. */
export async function estimateBatch(
  records: Iterable<BatchRecord> | AsyncIterable<BatchRecord>,
  options: EstimateOptions,
): Promise<BatchEstimate> {
  const counter = new Counter(await loadTokenizer());
  const models = new Map<string, Sums>();
  for await (const record of records) {
    const { model = options.model, maxTokens = options.maxTokens } = record.options ?? {};
    let sums = models.get(model);
    if (sums === undefined) {
      sums = { records: 0, promptTokens: 0, completionTokens: 0, isLimited: true };
      models.set(model, sums);
    }
    sums.records++;
    sums.promptTokens += counter.messages(record.messages);
    if (maxTokens === undefined) sums.isLimited = false;
    else sums.completionTokens += maxTokens;
  }
  return {
    models: [...models].map(([model, sums]) => modelEstimate(model, sums, options.price)),
    images: counter.images,
    sampled: counter.sampled,
  };
}
