/**
 * Defines the schema of the `serve` section of a configuration file.
 *
 * @module
 */
import * as v from "valibot";
import { STORE_NAMES } from "../cache/open_store.ts";
import { LOAD_BALANCES } from "../scheduling/load_balancer.ts";
import { describe, flag, integer, nonNegative, text } from "./schema_values.ts";

const NUMBER_OF_SECONDS = "expected a number of seconds, such as 300";
const seconds = v.pipe(v.number(NUMBER_OF_SECONDS), v.minValue(0, "expected 0 seconds or more"));
const someSeconds = v.pipe(
  v.number(NUMBER_OF_SECONDS),
  v.gtValue(0, "expected more than 0 seconds"),
);

const NUMBER_OF_BYTES = "expected a number of bytes, such as 33554432";
const bytes = v.pipe(
  v.number(NUMBER_OF_BYTES),
  v.integer(NUMBER_OF_BYTES),
  v.minValue(1, "expected 1 byte or more"),
);

const budget = v.strictObject({
  day: v.nullish(describe("Each day, from midnight UTC.", nonNegative)),
  month: v.nullish(describe("Each month, from midnight UTC of the first day.", nonNegative)),
  total: v.nullish(describe("Altogether.", nonNegative)),
}, "expected USD per day, month or in total, such as {day: 5, month: 100}");

/** The limits of a team or of the whole gateway. */
const limits = v.strictObject({
  rpm: v.nullish(describe("Maximum requests per minute.", integer(1))),
  tpm: v.nullish(describe("Maximum tokens per minute, input and output.", integer(1))),
  concurrent: v.nullish(describe("Maximum requests in flight.", integer(1))),
  budget: v.nullish(
    describe("Maximum spending in USD: `day`, `month` and `total`, by UTC.", budget),
  ),
}, "expected limits such as rpm, tpm, concurrent and budget");

const targets = v.pipe(
  v.array(text, "expected a list of models"),
  v.minLength(1, "expected at least one model"),
);

const ROUTE = "expected a model, a list of models, or targets, load_balance and sticky";

const routeFields = v.strictObject({
  targets: describe(
    "The models, in order: names of `models`, or `MODEL@ENDPOINT` for another model at the server of a " +
      "configured one. ENDPOINT is its name, its provider or its host.",
    targets,
  ),
  load_balance: v.nullish(
    describe(
      "How calls are distributed over the targets; default `fallback`, the first one that is up.",
      v.picklist(LOAD_BALANCES, `expected one of ${LOAD_BALANCES.join(", ")}`),
    ),
  ),
  sticky: v.nullish(
    describe(
      "Keep a conversation at one target while that is available, for prompt caches and thinking " +
        "signatures; default true.",
      flag,
    ),
  ),
}, ROUTE);

const CACHE = "expected true, false, shared, or settings such as ttl and shared";

const cache = v.union([
  v.boolean(),
  v.literal("shared"),
  v.strictObject({
    ttl: v.optional(describe("As `cache.ttl`.", nonNegative)),
    store: v.optional(
      describe("As `cache.store`.", v.picklist(STORE_NAMES, `one of ${STORE_NAMES.join(", ")}`)),
    ),
    path: v.optional(describe("As `cache.path`.", text)),
    namespace: v.optional(describe("As `cache.namespace`.", text)),
    shared: v.optional(describe("Whether all keys share their answers.", flag)),
  }, CACHE),
], CACHE);

/** An origin as browsers send it: a scheme, a host, and a port unless it is the default one. */
const origin = v.pipe(
  text,
  v.check((value) => {
    const url = URL.parse(value);
    return url !== null && /^https?:$/.test(url.protocol) && url.origin === value;
  }, "expected an origin without a path, such as https://chat.example.org"),
);

/** The section `serve`. */
export const serve = v.strictObject({
  host: v.nullish(describe("Address to listen on; default 127.0.0.1, this machine only.", text)),
  port: v.nullish(
    describe(
      "Port to listen on; default 8080.",
      v.pipe(integer(0), v.maxValue(65535, "expected a port up to 65535")),
    ),
  ),
  database: v.nullish(
    describe(
      "The file with virtual keys and their spending, relative to the configuration; default " +
        "`~/.flexllm/gateway.db`.",
      text,
    ),
  ),
  admin_key: v.nullish(
    describe(
      "The key for the page, `/status` and `/metrics`, or `${NAME}` to read it from a variable; " +
        "`FLEXLLM_ADMIN_KEY` overrides it. Required for them if `host` is not this machine only.",
      text,
    ),
  ),
  routes: v.nullish(
    describe(
      "Further model names for clients: a model, a list of them in order of preference, or a section " +
        "with `targets`. Each of `models` is a route by its name.",
      v.record(text, v.union([text, targets, routeFields], ROUTE), "expected name: models pairs"),
    ),
  ),
  teams: v.nullish(
    describe(
      "The limits of teams, which apply to all their keys together.",
      v.record(text, limits, "expected name: limits pairs"),
    ),
  ),
  limits: v.nullish(describe("The limits of the whole gateway.", limits)),
  cache: v.nullish(
    describe(
      "The response cache: true for one per key, `shared` for one that all keys share, false, or the " +
        "settings of `cache` and `shared`; default the top-level `cache`, one per key.",
      cache,
    ),
  ),
  cors: v.nullish(
    describe(
      "Origins that browsers may call from, such as https://chat.example.org; default none.",
      v.array(origin, "expected a list of origins"),
    ),
  ),
  timeout: v.nullish(
    describe(
      "Timeout per attempt, in seconds; for a stream, the longest silence; default 600.",
      someSeconds,
    ),
  ),
  max_wait: v.nullish(
    describe(
      "Maximum wait in seconds for rate limits and free slots of the providers; default 60.",
      seconds,
    ),
  ),
  max_queue: v.nullish(
    describe(
      "Maximum waiting requests; further ones are refused with 429; default 1000.",
      integer(0),
    ),
  ),
  max_body: v.nullish(
    describe("Maximum size of a request in bytes; default 33554432 (32 MiB).", bytes),
  ),
  drain: v.nullish(
    describe(
      "Seconds that requests in flight may take to finish when the gateway stops; default 600.",
      seconds,
    ),
  ),
  concurrency: v.nullish(
    describe("Maximum concurrent requests to each model; default 256.", integer(1)),
  ),
  keep_alive: v.nullish(
    describe("Seconds of silence after which a stream gets a keep-alive; default 15.", someSeconds),
  ),
  allow_unpriced: v.nullish(
    describe(
      "Allow models without a known price despite a budget, at no cost to it; default false.",
      flag,
    ),
  ),
}, "expected the settings of the gateway");
