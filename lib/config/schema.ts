/**
 * What a configuration file may say. The schema is the Python tool's.
 *
 * @module
 */
import * as v from "valibot";
import { STORE_NAMES } from "../cache/open_store.ts";
import { THINKING_LEVELS } from "../chat/options.ts";
import { API_NAMES, PROVIDER_NAMES } from "../services/providers.ts";
import { priceEntries } from "../pricing/price_file.ts";
import { LOAD_BALANCES } from "../scheduling/load_balancer.ts";

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

/** A schema with the words of the documentation for it. */
function about<S extends v.GenericSchema>(description: string, schema: S) {
  return v.pipe(schema, v.description(description));
}

const baseUrl = v.optional(
  about("Base URL of the server, up to and with the version; default that of the provider.", text),
);
const apiKey = v.optional(
  about(
    "The key, or `${NAME}` for a variable of the environment.",
    v.string("expected a string"),
  ),
);
const providerName = v.optional(
  about("The service that is asked; default `auto`: the base URL tells it.", provider),
);
const ownHeaders = v.optional(
  about("Headers to send with each request; values may be `${NAME}`.", headers),
);
const api = v.optional(
  about(
    "OpenAI's wire format; default `auto`: Chat Completions, but Responses where only it will do.",
    v.picklist(API_NAMES, `expected one of ${API_NAMES.join(", ")}`),
  ),
);
const extraBody = v.optional(
  about(
    "Extra fields for the body of every request, in the server's format; a record's own take precedence.",
    v.record(v.string(), v.unknown(), "expected name: value pairs"),
  ),
);
const price = v.optional(
  about(
    "What it costs, in USD per million tokens, where the price list does not know or is not right: " +
      "`input`, `output`, and optionally `cached_input`, `cache_write`, `cache_write_hour`, " +
      "`reasoning`, and `request` for each request. It applies to every service tier.",
    v.strictObject(priceEntries, "expected input and output in USD per million tokens"),
  ),
);

const model = v.strictObject({
  id: about("The model's name as the server knows it.", text),
  name: v.optional(about("What `-m` calls it; default the id.", text)),
  provider: providerName,
  base_url: baseUrl,
  api_key: apiKey,
  headers: ownHeaders,
  api,
  extra_body: extraBody,
  price,
}, "expected a model with id, provider, base_url and api_key");

const maxQps = v.nullish(about("The most requests begun in any second; no limit.", positive));
const maxTpm = v.nullish(
  about("The most tokens, read and written, in any minute; no limit.", positive),
);

const endpoint = v.strictObject({
  model: v.optional(
    about("The model to ask there; default the one that the batch asks for.", text),
  ),
  provider: providerName,
  base_url: baseUrl,
  api_key: apiKey,
  headers: ownHeaders,
  api,
  extra_body: extraBody,
  price,
  weight: v.optional(about("Its share of the requests under `weighted`; default 1.", positive)),
  concurrency_limit: v.nullish(
    about("The most requests in flight there; default the batch's `concurrency`.", count(1)),
  ),
  max_qps: maxQps,
  max_tpm: maxTpm,
}, "expected an endpoint with base_url, api_key and model");

/** The fields of an endpoint. */
export const endpointEntries = endpoint.entries;

const batch = v.strictObject({
  concurrency: v.nullish(about("The most requests in flight; default 10.", count(1))),
  max_qps: maxQps,
  max_tpm: maxTpm,
  adaptive: v.nullish(
    about(
      "Whether to slow down by itself when the server says that it is too much; default yes.",
      flag,
    ),
  ),
  max_wait: v.nullish(
    about(
      "The longest wait, in seconds, for rate limits or a server that has gone away; default 600.",
      notNegative,
    ),
  ),
  timeout: v.nullish(about("The most seconds for one try; default 120.", positive)),
  retry_times: v.nullish(about("Retries of a failed request; default 3.", count(0))),
  retry_delay: v.nullish(
    about("Seconds before the first retry, doubled for each further one; default 1.", notNegative),
  ),
  temperature: v.nullish(about("Randomness; default the model's own.", notNegative)),
  max_tokens: v.nullish(about("The most tokens of an answer; default the model's own.", count(1))),
  top_p: v.nullish(about("Nucleus sampling; default the model's own.", notNegative)),
  top_k: v.nullish(about("Sampling among so many tokens, where the server knows it.", count(1))),
  thinking: v.nullish(
    about(
      "How much to think: yes or no, a level, or a number of tokens; default the model's own.",
      v.union(
        [v.boolean(), v.picklist(THINKING_LEVELS), count(1)],
        `expected true, false, ${THINKING_LEVELS.join(", ")} or a number of tokens`,
      ),
    ),
  ),
  extra_body: extraBody,
  return_usage: v.nullish(
    about("Whether token counts are written to the result file; default yes.", flag),
  ),
  track_cost: v.nullish(about("Whether costs are written to the result file; default yes.", flag)),
  cache: v.nullish(
    about("Whether batches use the response cache; default what `cache` says.", flag),
  ),
  cache_ttl: v.nullish(
    about("Seconds that an answer is good for, 0 for ever; default the cache's own.", notNegative),
  ),
  endpoints: v.nullish(
    about(
      "Several servers that share the work.",
      v.pipe(
        v.array(endpoint, "expected a list of endpoints"),
        v.minLength(1, "expected at least one endpoint"),
      ),
    ),
  ),
  load_balance: v.nullish(
    about(
      "How they share it; default `round_robin`.",
      v.picklist(LOAD_BALANCES, `expected one of ${LOAD_BALANCES.join(", ")}`),
    ),
  ),
  fallback: v.nullish(
    about("Whether a request that one of them failed goes to another; default yes.", flag),
  ),
  failure_threshold: v.nullish(
    about(
      "Failures in a row after which a server counts as away; default as many as are in flight, " +
        "from 3 up to 10.",
      count(1),
    ),
  ),
  recovery_time: v.nullish(
    about("Seconds until it is tried again; default 1, doubled up to 10.", notNegative),
  ),
  flush_interval: v.nullish(
    about(
      "Of the Python tool; every result is written at once, which is what any value asks for.",
      notNegative,
    ),
  ),
}, "expected the batch settings");

const cacheSettings = v.strictObject({
  ttl: v.optional(
    about("Seconds that an answer is good for, 0 for ever; default a day.", notNegative),
  ),
  store: v.optional(
    about(
      "Where answers are kept; default Deno KV where it is there, else SQLite.",
      v.picklist(STORE_NAMES, `expected one of ${STORE_NAMES.join(", ")}`),
    ),
  ),
  path: v.optional(
    about("The file, or a KV Connect URL; default a file in the folder of flexllm.", text),
  ),
  namespace: v.optional(about("Keeps caches apart that share a store.", text)),
}, "expected true, false, or ttl, store, path and namespace");

const template = v.union([
  text,
  v.strictObject({
    prompt: about("The question.", text),
    system: v.optional(about("The system prompt.", text)),
  }),
], "expected a text, or prompt and system");

/** The schema of the whole file. */
export const configSchema = v.strictObject({
  default: v.nullish(
    about(
      "The model that is asked when none is named: the `name` or `id` of one of `models`.",
      text,
    ),
  ),
  models: v.nullish(
    about("The models that `-m` knows by name.", v.array(model, "expected a list of models")),
  ),
  cache: v.nullish(
    about(
      "The response cache of every command: whether it is used, or how; `batch` says more for batches.",
      v.union([v.boolean(), cacheSettings], "expected true, false, or settings"),
    ),
  ),
  allow_private_urls: v.nullish(
    about(
      "Whether images and files at URLs of this machine and the local network are downloaded; default no.",
      flag,
    ),
  ),
  batch: v.nullish(about("How `flexllm batch` works; its flags win.", batch)),
  templates: v.nullish(
    about(
      "Prompts by name for `ask --template`, with `{{input}}` and `{{name}}` in the places of what a " +
        "call gives.",
      v.record(v.string(), template, "expected name: text pairs"),
    ),
  ),
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
