/**
 * What a configuration file may say. The schema is the Python tool's.
 *
 * @module
 */
import * as v from "valibot";
import { STORE_NAMES } from "../cache/open_store.ts";
import { PROVIDER_NAMES } from "../client/endpoint.ts";
import { priceEntries } from "../pricing/price_file.ts";
import { LOAD_BALANCES } from "../scheduling/choose.ts";

const text = v.pipe(
  v.string("expected a string"),
  v.nonEmpty("expected a string, got an empty one"),
);
const flag = v.boolean("expected true or false");
const positive = v.pipe(
  v.number("expected a number"),
  v.gtValue(0, "expected a number above 0"),
);
const notNegative = v.pipe(
  v.number("expected a number"),
  v.minValue(0, "expected 0 or more"),
);
const count = (least: number) =>
  v.pipe(
    v.number("expected a whole number"),
    v.integer("expected a whole number"),
    v.minValue(least, `expected at least ${least}`),
  );
const provider = v.picklist(PROVIDER_NAMES, `expected one of ${PROVIDER_NAMES.join(", ")}`);
const headers = v.record(v.string(), v.string("expected a string"), "expected name: value pairs");

const api = v.optional(
  v.picklist(["auto", "chat", "responses"], "expected auto, chat or responses"),
);

const price = v.optional(
  v.strictObject(priceEntries, "expected input and output in USD per million tokens"),
);

const model = v.strictObject({
  /** The model's name as the server knows it. */
  id: text,
  /** What `-m` calls it; default the id. */
  name: v.optional(text),
  provider: v.optional(provider),
  base_url: v.optional(text),
  api_key: v.optional(v.string("expected a string")),
  headers: v.optional(headers),
  /** OpenAI's wire format. */
  api,
  /** What it costs, where the price list does not know or is not right. */
  price,
}, "expected a model with id, provider, base_url and api_key");

const endpoint = v.strictObject({
  /** The model to ask there; default the one that the batch asks for. */
  model: v.optional(text),
  provider: v.optional(provider),
  base_url: v.optional(text),
  api_key: v.optional(v.string("expected a string")),
  headers: v.optional(headers),
  api,
  price,
  weight: v.optional(positive),
  concurrency_limit: v.nullish(count(1)),
  max_qps: v.nullish(positive),
  max_tpm: v.nullish(positive),
}, "expected an endpoint with base_url, api_key and model");

/** The fields of an endpoint. */
export const endpointEntries = endpoint.entries;

const batch = v.strictObject({
  concurrency: v.nullish(count(1)),
  max_qps: v.nullish(positive),
  max_tpm: v.nullish(positive),
  adaptive: v.nullish(flag),
  max_wait: v.nullish(notNegative),
  timeout: v.nullish(positive),
  retry_times: v.nullish(count(0)),
  retry_delay: v.nullish(notNegative),
  temperature: v.nullish(notNegative),
  max_tokens: v.nullish(count(1)),
  top_p: v.nullish(notNegative),
  top_k: v.nullish(count(1)),
  thinking: v.nullish(
    v.union(
      [v.boolean(), v.picklist(["minimal", "low", "medium", "high"]), count(1)],
      "expected true, false, minimal, low, medium, high or a number of tokens",
    ),
  ),
  return_usage: v.nullish(flag),
  track_cost: v.nullish(flag),
  cache: v.nullish(flag),
  /** Seconds; 0 for ever. */
  cache_ttl: v.nullish(notNegative),
  /** Several servers that share the work; one of them is enough. */
  endpoints: v.nullish(
    v.pipe(
      v.array(endpoint, "expected a list of endpoints"),
      v.minLength(1, "expected at least one endpoint"),
    ),
  ),
  load_balance: v.nullish(v.picklist(LOAD_BALANCES, `expected one of ${LOAD_BALANCES.join(", ")}`)),
  fallback: v.nullish(flag),
  failure_threshold: v.nullish(count(1)),
  recovery_time: v.nullish(notNegative),
  /** Every result is written at once, which is what any value of this asks for. */
  flush_interval: v.nullish(notNegative),
}, "expected the batch settings");

const cacheSettings = v.strictObject({
  ttl: v.optional(notNegative),
  store: v.optional(v.picklist(STORE_NAMES, `expected one of ${STORE_NAMES.join(", ")}`)),
  path: v.optional(text),
  namespace: v.optional(text),
}, "expected true, false, or ttl, store, path and namespace");

const template = v.union([
  text,
  v.strictObject({ prompt: text, system: v.optional(text) }),
], "expected a text, or prompt and system");

/** The schema of the whole file. */
export const configSchema = v.strictObject({
  default: v.nullish(text),
  models: v.nullish(v.array(model, "expected a list of models")),
  /** The response cache: of every command, `batch` says more for batches. */
  cache: v.nullish(v.union([v.boolean(), cacheSettings], "expected true, false, or settings")),
  batch: v.nullish(batch),
  /** Prompts by name, with {{input}} and {{name}} in the places of what a call gives. */
  templates: v.nullish(v.record(v.string(), template, "expected name: text pairs")),
}, "expected default, models, batch and templates");

/** A whole configuration. */
export type ConfigValue = v.InferOutput<typeof configSchema>;
/** One entry of `models`. */
export type ModelEntry = v.InferOutput<typeof model>;
/** One entry of `batch.endpoints`. */
export type EndpointEntry = v.InferOutput<typeof endpoint>;
/** The section `batch`. */
export type BatchSection = v.InferOutput<typeof batch>;

/** Fields of `batch` in the Python tool's files that this version reads past, with a warning. */
export const IGNORED_BATCH_FIELDS: readonly string[] = ["preprocess_msg"];
