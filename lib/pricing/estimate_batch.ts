/**
 * What a batch will take, before anything is sent.
 *
 * @module
 */
import type { BatchRecord } from "../chat/record.ts";
import type { Message } from "../chat/messages.ts";
import { normalizeMessages } from "../chat/normalize.ts";
import type { SamplingOptions } from "../chat/options.ts";
import { seededRandom } from "../runtime/random.ts";
import type { Pricer } from "./price.ts";
import { measureRequest, promptSize, rememberJson } from "./token_estimate.ts";
import { loadTokenizer } from "./tokenizer.ts";

/** What one model at one endpoint is asked for. */
export interface ModelEstimate {
  model: string;
  /** The base URL. */
  endpoint: string;
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
  /** By model and endpoint; of several endpoints each as if it got all records. */
  models: ModelEstimate[];
  /** How many endpoints may get the records. */
  targets: number;
  /** USD at least, at the cheapest endpoint: for what is read; `null` when a price is not known. */
  lowestCost: number | null;
  /** USD at most, at the dearest endpoint; `null` when that, or a price, is not known. */
  highestCost: number | null;
  /** Images, whose tokens are counted with a fixed number each. */
  images: number;
  /** Whether only a random part was counted and the rest reckoned from it. */
  sampled: boolean;
}

/** Where records may be sent. */
export interface EstimateTarget {
  /** The model that is asked when a record names none. */
  model: string;
  /** The base URL. */
  endpoint: string;
  price: Pricer;
}

/** How records are asked for that say nothing else. */
export interface EstimateOptions {
  /** Each endpoint that may get them. */
  targets: readonly EstimateTarget[];
  /** What holds for all records, as far as it costs tokens. */
  sampling?: Pick<SamplingOptions, "maxTokens" | "tools" | "responseFormat">;
  /** Size in tokens up to which all is counted; default 5 million, which take about 2 s. */
  counted?: number;
  /** Makes the choice of what is counted the same in each run. */
  seed?: number;
}

/** Sums over the records of one model at one endpoint. */
interface Sums {
  target: EstimateTarget;
  model: string;
  records: number;
  /** Of all records, by a rough measure. */
  size: number;
  completionTokens: number;
  isLimited: boolean;
  /** Of the counted records, each for as many as it stands for. */
  counted: {
    records: number;
    size: number;
    promptTokens: number;
    promptCost: number | null;
    completionCost: number | null;
  };
}

function newSums(target: EstimateTarget, model: string): Sums {
  return {
    target,
    model,
    records: 0,
    size: 0,
    completionTokens: 0,
    isLimited: true,
    counted: { records: 0, size: 0, promptTokens: 0, promptCost: 0, completionCost: 0 },
  };
}

function add(sum: number | null, value: number | null): number | null {
  return sum === null || value === null ? null : sum + value;
}

function usage(promptTokens: number, completionTokens: number) {
  return { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens };
}

/**
 * Adds a counted record that stands for `weight` records. Each is priced by itself, since long prompts
 * may have another price.
 */
function count(
  sums: Sums,
  weight: number,
  size: number,
  promptTokens: number,
  maxTokens: number | undefined,
): void {
  const { counted, model, target: { price } } = sums;
  const prompt = price(model, usage(promptTokens, 0));
  const whole = price(model, usage(promptTokens, maxTokens ?? 0));
  const completion = prompt === null || whole === null ? null : whole - prompt;
  counted.records += weight;
  counted.size += weight * size;
  counted.promptTokens += weight * promptTokens;
  counted.promptCost = add(counted.promptCost, prompt === null ? null : weight * prompt);
  counted.completionCost = add(
    counted.completionCost,
    completion === null ? null : weight * completion,
  );
}

function modelEstimate(sums: Sums): ModelEstimate {
  const { target: { endpoint, price }, model, records, isLimited, counted } = sums;
  // What was counted of all: by size for what is read, by number for what is written.
  const scale = (value: number | null, share: number) => value === null ? null : value * share;
  const bySize = sums.size / counted.size;
  const promptCost = scale(counted.promptCost, bySize);
  const completionCost = scale(counted.completionCost, records / counted.records);
  const [none, thousand] = [price(model, usage(0, 0)), price(model, usage(0, 1000))];
  return {
    model,
    endpoint,
    records,
    promptTokens: Math.round(counted.promptTokens * bySize),
    maxCompletionTokens: isLimited ? sums.completionTokens : null,
    promptCost,
    maxCost: isLimited ? add(promptCost, completionCost) : null,
    // Without what is taken for the request itself.
    costPerThousand: none === null || thousand === null ? null : thousand - none,
  };
}

/** The sum over all models at each endpoint, then the one of them that `choose` takes. */
function totalCost(
  rows: readonly ModelEstimate[][],
  field: "promptCost" | "maxCost",
  choose: (...sums: number[]) => number,
): number | null {
  const targets = (rows[0] ?? []).keys();
  const sums = Array.from(
    targets,
    (i) => rows.reduce<number | null>((sum, row) => add(sum, row[i][field]), 0),
  );
  return sums.length === 0 || sums.includes(null) ? null : choose(...sums as number[]);
}

function imagesOf(messages: readonly Message[]): number {
  let images = 0;
  for (const { content } of messages) {
    if (typeof content === "string") continue;
    for (const { type } of content ?? []) if (type === "image_url") images++;
  }
  return images;
}

/** What is counted when nothing is said; of much more a tokenizer would need minutes. */
const COUNTED = 5_000_000;

/**
 * Reckons what `records` will take. Reads them once, in flat memory; sends nothing. Of very large
 * inputs an ever smaller random part is counted, each record for as many as it stands for.
 */
export async function estimateBatch(
  records: Iterable<BatchRecord> | AsyncIterable<BatchRecord>,
  options: EstimateOptions,
): Promise<BatchEstimate> {
  const { targets, sampling = {}, counted = COUNTED, seed = 1 } = options;
  const tokens = await loadTokenizer();
  const measure = { text: tokens, json: rememberJson(tokens) };
  const random = seededRandom(seed);
  const rows = new Map<string, Sums[]>();
  let [seen, images, sampled] = [0, 0, false];
  for await (const record of records) {
    const { options: own } = record;
    const messages = normalizeMessages(record.messages);
    const request = own === undefined ? sampling : { ...sampling, ...own };
    const asked = own?.model ?? "";
    let sums = rows.get(asked);
    const isFirst = sums === undefined;
    if (sums === undefined) {
      sums = targets.map((target) => newSums(target, own?.model ?? target.model));
      rows.set(asked, sums);
    }
    images += imagesOf(messages);
    const size = promptSize(messages, request);
    const share = Math.min(1, counted / Math.max(1, seen));
    seen += size;
    // One of each model at least.
    const isCounted = isFirst || random() < share;
    const promptTokens = isCounted ? measureRequest(measure, messages, request) : 0;
    sampled ||= !isCounted;
    for (const row of sums) {
      row.records++;
      row.size += size;
      if (request.maxTokens === undefined) row.isLimited = false;
      else row.completionTokens += request.maxTokens;
      if (isCounted) {
        count(row, isFirst ? 1 : 1 / share, size, promptTokens, request.maxTokens);
      }
    }
  }
  const estimates = Array.from(rows.values(), (sums) => sums.map(modelEstimate));
  return {
    models: estimates.flat(),
    targets: targets.length,
    lowestCost: totalCost(estimates, "promptCost", Math.min),
    highestCost: totalCost(estimates, "maxCost", Math.max),
    images,
    sampled,
  };
}
