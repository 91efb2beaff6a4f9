/**
 * Estimates the tokens and cost of a batch without sending anything.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { BatchRecord } from "../chat/record.ts";
import type { Message } from "../chat/messages.ts";
import { normalizeMessages } from "../chat/normalize.ts";
import type { SamplingOptions } from "../chat/options.ts";
import { seededRandom } from "../runtime/random.ts";
import type { Pricer } from "./price.ts";
import { measureRequest, promptSize, rememberJson } from "./token_estimate.ts";
import { loadTokenizer } from "./tokenizer.ts";

/** What records cost one way. */
export interface EstimatedCosts {
  /** Cost of the input in USD; `null` if the price is unknown. */
  promptCost: number | null;
  /** Maximum cost in USD; `null` if the price is unknown or a record has no limit. */
  maxCost: number | null;
  /** Cost of 1,000 output tokens in USD; `null` if the price is unknown. */
  costPerThousand: number | null;
}

/** The estimate for one model at one endpoint. */
export interface ModelEstimate extends EstimatedCosts {
  model: string;
  /** The base URL. */
  endpoint: string;
  records: number;
  /** Input tokens. */
  promptTokens: number;
  /** Maximum output tokens; `null` if a record has no limit. */
  maxCompletionTokens: number | null;
  /** The same through the provider's batch API; `undefined` if the target has none. */
  batch?: EstimatedCosts;
  /** Approximate size of all requests as JSON, in bytes, without files that are still to be loaded. */
  bytes: number;
}

/** The estimate for a batch. */
export interface BatchEstimate {
  /** By model and endpoint. Each of several endpoints is estimated as if it received all records. */
  models: ModelEstimate[];
  /** The number of endpoints that may receive records. */
  targets: number;
  /** Minimum cost in USD: the input at the cheapest endpoint; `null` if a price is unknown. */
  lowestCost: number | null;
  /**
   * Maximum cost in USD, at the most expensive endpoint; `null` if a price is unknown or a record has no
   * limit.
   */
  highestCost: number | null;
  /** The number of images; each counts as a fixed number of tokens. */
  images: number;
  /** Whether the estimate was extrapolated from a random sample. */
  sampled: boolean;
}

/** An endpoint that may receive records. */
export interface EstimateTarget {
  /** The model of records that do not name one. */
  model: string;
  /** The base URL. */
  endpoint: string;
  /** The prices at this endpoint. */
  price: Pricer;
  /** The prices of its batch API, if it has one. */
  batchPrice?: Pricer;
}

/** The options of an estimate. */
export interface EstimateOptions {
  /** All endpoints that may receive records. */
  targets: readonly EstimateTarget[];
  /** The options of the batch that affect the number of tokens. */
  sampling?: Pick<SamplingOptions, "maxTokens" | "tools" | "responseFormat">;
  /**
   * The size, in tokens, up to which every record is counted. Of a larger input, only a sample is counted.
   *
   * @default 5_000_000, which takes about 2 s
   */
  counted?: number;
  /**
   * Seed of the sample.
   *
   * @default 1
   */
  seed?: number;
}

/** Sums over the records of one model at one endpoint. */
interface Sums {
  target: EstimateTarget;
  model: string;
  records: number;
  /** Approximate size of all records. */
  size: number;
  completionTokens: number;
  isLimited: boolean;
  /** Sums over the sampled records, weighted by sampling rate. */
  counted: {
    records: number;
    size: number;
    bytes: number;
    promptTokens: number;
    live: CountedCosts;
    batch: CountedCosts;
  };
}

/** Sums of the costs of sampled records; `null` if one is unknown. */
interface CountedCosts {
  prompt: number | null;
  completion: number | null;
}

function newSums(target: EstimateTarget, model: string): Sums {
  return {
    target,
    model,
    records: 0,
    size: 0,
    completionTokens: 0,
    isLimited: true,
    counted: {
      records: 0,
      size: 0,
      bytes: 0,
      promptTokens: 0,
      live: { prompt: 0, completion: 0 },
      batch: { prompt: 0, completion: 0 },
    },
  };
}

function add(sum: number | null, value: number | null): number | null {
  return sum === null || value === null ? null : sum + value;
}

function usage(promptTokens: number, completionTokens: number) {
  return { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens };
}

/** A sampled record that represents `weight` records. */
interface Sample {
  weight: number;
  size: number;
  bytes: number;
  promptTokens: number;
  maxTokens: number | undefined;
}

/** Adds a sampled record. Each is priced on its own, because long prompts may have a higher rate. */
function count(sums: Sums, sample: Sample): void {
  const { counted, model, target: { price, batchPrice } } = sums;
  const { weight, size, bytes, promptTokens } = sample;
  counted.records += weight;
  counted.size += weight * size;
  counted.bytes += weight * bytes;
  counted.promptTokens += weight * promptTokens;
  addCosts(counted.live, price, model, sample);
  if (batchPrice !== undefined) addCosts(counted.batch, batchPrice, model, sample);
}

function addCosts(
  costs: CountedCosts,
  price: Pricer,
  model: string,
  { weight, promptTokens, maxTokens = 0 }: Sample,
): void {
  const prompt = price(model, usage(promptTokens, 0));
  const whole = price(model, usage(promptTokens, maxTokens));
  const completion = prompt === null || whole === null ? null : whole - prompt;
  costs.prompt = add(costs.prompt, prompt === null ? null : weight * prompt);
  costs.completion = add(costs.completion, completion === null ? null : weight * completion);
}

/** Extrapolates the costs of the sampled records to all of them. */
function costsOf(sums: Sums, counted: CountedCosts, price: Pricer): EstimatedCosts {
  const { model, isLimited } = sums;
  const scale = (value: number | null, factor: number) => value === null ? null : value * factor;
  // The input by size, and the output by number of records.
  const promptCost = scale(counted.prompt, sums.size / sums.counted.size);
  const completionCost = scale(counted.completion, sums.records / sums.counted.records);
  const [none, thousand] = [price(model, usage(0, 0)), price(model, usage(0, 1000))];
  return {
    promptCost,
    maxCost: isLimited ? add(promptCost, completionCost) : null,
    // The difference excludes the price per request.
    costPerThousand: none === null || thousand === null ? null : thousand - none,
  };
}

function modelEstimate(sums: Sums): ModelEstimate {
  const { target: { endpoint, price, batchPrice }, model, records, isLimited, counted } = sums;
  const bySize = sums.size / counted.size;
  return {
    model,
    endpoint,
    records,
    promptTokens: Math.round(counted.promptTokens * bySize),
    maxCompletionTokens: isLimited ? sums.completionTokens : null,
    ...costsOf(sums, counted.live, price),
    ...batchPrice && { batch: costsOf(sums, counted.batch, batchPrice) },
    bytes: Math.round(counted.bytes * bySize),
  };
}

/** Sums the cost over all models at each endpoint, and chooses between the endpoints. */
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

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function countImages(messages: readonly Message[]): number {
  let images = 0;
  for (const { content } of messages) {
    if (typeof content === "string") continue;
    for (const { type } of content ?? []) if (type === "image_url") images++;
  }
  return images;
}

/** The default of {@link EstimateOptions.counted}; many more tokens would take minutes. */
const DEFAULT_COUNTED = 5_000_000;

/**
 * Estimates what `records` will cost. Reads them once, in constant memory. Samples large inputs at a
 * decreasing rate and weights each sampled record accordingly.
 */
export async function estimateBatch(
  records: Iterable<BatchRecord> | AsyncIterable<BatchRecord>,
  options: EstimateOptions,
): Promise<BatchEstimate> {
  const { targets, sampling = {}, counted = DEFAULT_COUNTED, seed = 1 } = options;
  const tokens = await loadTokenizer();
  const measure = { text: tokens, json: rememberJson(tokens) };
  const random = seededRandom(seed);
  const rows = new Map<string, Sums[]>();
  let [seen, images, sampled] = [0, 0, false];
  for await (const record of records) {
    const { options: own } = record;
    const messages = normalizeMessages(record.messages);
    const request = own === undefined ? sampling : { ...sampling, ...own };
    const ownModel = own?.model ?? "";
    let sums = rows.get(ownModel);
    const isFirst = sums === undefined;
    if (sums === undefined) {
      sums = targets.map((target) => newSums(target, own?.model ?? target.model));
      rows.set(ownModel, sums);
    }
    images += countImages(messages);
    const size = promptSize(messages, request);
    const rate = Math.min(1, counted / Math.max(1, seen));
    seen += size;
    // Count at least one record of each model.
    const isCounted = isFirst || random() < rate;
    sampled ||= !isCounted;
    const sample = isCounted && {
      weight: isFirst ? 1 : 1 / rate,
      size,
      bytes: jsonBytes([messages, request]),
      promptTokens: measureRequest(measure, messages, request),
      maxTokens: request.maxTokens,
    };
    for (const row of sums) {
      row.records++;
      row.size += size;
      if (request.maxTokens === undefined) row.isLimited = false;
      else row.completionTokens += request.maxTokens;
      if (sample) count(row, sample);
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
