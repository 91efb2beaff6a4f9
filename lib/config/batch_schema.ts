/**
 * Defines the schema of the `batch` section of a configuration file.
 *
 * @module
 */
import * as v from "valibot";
import { LOAD_BALANCES } from "../scheduling/load_balancer.ts";
import { samplingEntries } from "./sampling_schema.ts";
import { describe, flag, integer, nonNegative, positive } from "./schema_values.ts";
import { endpoint, extraBody, maxInFlight, maxQps, maxTpm } from "./server_schema.ts";

/** The section `batch.jobs`. */
const jobs = v.strictObject({
  rows: v.nullish(
    describe(
      "Maximum rows in a job; default 10,000, or the provider's limit if lower.",
      integer(1),
    ),
  ),
  bytes: v.nullish(
    describe("Maximum size of a job's input; default 95 % of the provider's limit.", integer(1)),
  ),
  concurrent: v.nullish(
    describe(
      "Maximum jobs at the provider at once; default 10, or the provider's limit.",
      integer(1),
    ),
  ),
  queued_tokens: v.nullish(
    describe(
      "Maximum estimated input tokens of all jobs at the provider at once; default no limit. Providers " +
        "have one for each model and account.",
      integer(1),
    ),
  ),
  poll_interval: v.nullish(
    describe(
      "Seconds between two polls of a job; default as the provider recommends, up to 300.",
      positive,
    ),
  ),
}, "expected the settings of provider jobs");

/** The section `batch`. */
export const batch = v.strictObject({
  via: v.nullish(
    describe(
      "How records are sent: `live`, one request per record, or `provider`, as jobs of the provider's batch " +
        "API; default `live`.",
      v.picklist(["live", "provider"], "expected live or provider"),
    ),
  ),
  jobs: v.nullish(describe("Limits of the jobs of `via: provider`.", jobs)),
  concurrency: v.nullish(describe("Maximum concurrent requests; default 10.", integer(1))),
  max_qps: maxQps,
  max_tpm: maxTpm,
  max_in_flight: maxInFlight,
  adaptive: v.nullish(
    describe("Slow down automatically when the server reports overload; default true.", flag),
  ),
  max_wait: v.nullish(
    describe(
      "Maximum wait in seconds for rate limits or an unreachable server; default 600.",
      nonNegative,
    ),
  ),
  timeout: v.nullish(describe("Timeout per attempt, in seconds; default 120.", positive)),
  retry_times: v.nullish(describe("Retries of a failed request; default 3.", integer(0))),
  retry_delay: v.nullish(
    describe(
      "Delay before the first retry, in seconds, doubled for each further retry; default 1.",
      nonNegative,
    ),
  ),
  ...samplingEntries,
  extra_body: extraBody,
  return_usage: v.nullish(
    describe("Write token counts to the result file; default true.", flag),
  ),
  track_cost: v.nullish(describe("Write costs to the result file; default true.", flag)),
  events: v.nullish(
    describe(
      "Write `OUT.events` next to the result file `OUT`, which records progress over time for reports; " +
        "default true.",
      flag,
    ),
  ),
  cache: v.nullish(
    describe("Use the response cache for batches; default the top-level `cache`.", flag),
  ),
  cache_ttl: v.nullish(
    describe(
      "Lifetime of cached responses in seconds, 0 for no expiry; default `cache.ttl`.",
      nonNegative,
    ),
  ),
  endpoints: v.nullish(
    describe(
      "Servers that share the work.",
      v.pipe(
        v.array(endpoint, "expected a list of endpoints"),
        v.minLength(1, "expected at least one endpoint"),
      ),
    ),
  ),
  load_balance: v.nullish(
    describe(
      "How requests are distributed over the endpoints; default `round_robin`.",
      v.picklist(LOAD_BALANCES, `expected one of ${LOAD_BALANCES.join(", ")}`),
    ),
  ),
  fallback: v.nullish(
    describe("Retry a request that failed on one endpoint on another; default true.", flag),
  ),
  failure_threshold: v.nullish(
    describe(
      "Consecutive failures after which an endpoint counts as down; default the number of requests in " +
        "flight, between 3 and 10.",
      integer(1),
    ),
  ),
  recovery_time: v.nullish(
    describe(
      "Seconds before a down endpoint is tried again; default 1, doubled each time up to 10.",
      nonNegative,
    ),
  ),
  flush_interval: v.nullish(
    describe("Accepted for compatibility with the Python tool; has no effect.", nonNegative),
  ),
}, "expected the batch settings");
