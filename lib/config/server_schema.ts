/**
 * Defines the schema of models and batch endpoints in a configuration file.
 *
 * @module
 */
import * as v from "valibot";
import { priceEntries } from "../pricing/price_file.ts";
import { API_NAMES, PROVIDER_NAMES } from "../services/providers.ts";
import { samplingOptions } from "./sampling_schema.ts";
import { describe, integer, positive, text } from "./schema_values.ts";

/** `max_qps` of a batch or endpoint. */
export const maxQps = v.nullish(
  describe("Maximum requests per second; default unlimited.", positive),
);

/** `max_in_flight` of a batch or endpoint. */
export const maxInFlight = v.nullish(
  describe(
    "Maximum concurrent requests over all processes that share a Redis server; default unlimited.",
    integer(1),
  ),
);

/** `max_tpm` of a batch or endpoint. */
export const maxTpm = v.nullish(
  describe("Maximum tokens per minute, input and output; default unlimited.", positive),
);

/** `extra_body` of a model, endpoint or batch. */
export const extraBody = v.optional(
  describe(
    "Extra fields for the body of every request, in the server's format; a record's own fields take precedence.",
    v.record(v.string(), v.unknown(), "expected name: value pairs"),
  ),
);

const serverEntries = {
  provider: v.optional(
    describe(
      "The service; default `auto`: detected from the base URL.",
      v.picklist(PROVIDER_NAMES, `expected one of ${PROVIDER_NAMES.join(", ")}`),
    ),
  ),
  base_url: v.optional(
    describe(
      "Base URL of the server, including the version, such as `/v1`; default the provider's.",
      text,
    ),
  ),
  api_key: v.optional(
    describe(
      "API key, or `${NAME}` to read it from an environment variable, or `${keys.NAME}` for a key stored " +
        "with `flexllm keys set`; default the provider's variable, then its stored key.",
      v.string("expected a string"),
    ),
  ),
  headers: v.optional(
    describe(
      "Headers to send with each request; values can contain `${NAME}` and `${keys.NAME}`.",
      v.record(v.string(), v.string("expected a string"), "expected name: value pairs"),
    ),
  ),
  api: v.optional(
    describe(
      "OpenAI API to use; default `auto`: Chat Completions, or Responses for models that require it.",
      v.picklist(API_NAMES, `expected one of ${API_NAMES.join(", ")}`),
    ),
  ),
  extra_body: extraBody,
  price: v.optional(
    describe(
      "Price in USD per million tokens, if the built-in price list has none or a wrong one: `input`, " +
        "`output`, and optionally `cached_input`, `cache_write`, `cache_write_hour` and `reasoning`, " +
        "plus `request` in USD per request. Applies to every service tier. `batch` is the price through " +
        "the provider's batch API: a share of this one, such as 0.5, or its own `input` and `output`.",
      v.strictObject(priceEntries, "expected input and output in USD per million tokens"),
    ),
  ),
};

/** An entry of `models`. */
export const model = v.strictObject({
  id: describe("The model's id at the server.", text),
  name: v.optional(describe("The model's name for `-m`; default its id.", text)),
  ...serverEntries,
  options: v.optional(
    describe(
      "Default sampling options for this model; those of templates, `batch`, flags and records take " +
        "precedence.",
      samplingOptions,
    ),
  ),
}, "expected a model with id, provider, base_url and api_key");

/** An entry of `batch.endpoints`. */
export const endpoint = v.strictObject({
  model: v.optional(describe("The model to use there; default the batch's model.", text)),
  ...serverEntries,
  weight: v.optional(
    describe("Share of the requests under `load_balance: weighted`; default 1.", positive),
  ),
  concurrency_limit: v.nullish(
    describe("Maximum concurrent requests; default the batch's `concurrency`.", integer(1)),
  ),
  max_qps: maxQps,
  max_tpm: maxTpm,
  max_in_flight: maxInFlight,
}, "expected an endpoint with base_url, api_key and model");
