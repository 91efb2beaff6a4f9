/**
 * Lists the metrics for Prometheus: their names, labels, buckets and help texts.
 *
 * The names and labels are an interface: dashboards and alerts use them. A gateway and a batch use the same names for
 * the same things, so that one dashboard shows both.
 *
 * @module
 */

/** One metric. */
export interface MetricDefinition {
  /** Its name, with its unit. */
  name: string;
  type: "counter" | "gauge" | "histogram";
  /** One sentence. Exporters refuse files in which one name has two texts. */
  help: string;
  /** The names of its labels. A batch leaves out those that only a gateway knows. */
  labels: readonly string[];
  /** Upper bounds in the unit of a histogram. */
  buckets?: readonly number[];
}

/** Upper bounds in seconds. Answers take from milliseconds (cached) to ten minutes (thinking). */
const ANSWER_BUCKETS = [
  ...[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  ...[5, 10, 20, 30, 60, 120, 180, 300, 450, 600],
];
/** Upper bounds in seconds. Usually, requests do not wait. */
const QUEUE_BUCKETS = [0.001, ...ANSWER_BUCKETS];
/** Upper bounds in seconds for the time that the gateway adds, from 0.1 ms. */
const OVERHEAD_BUCKETS = [
  ...[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005],
  ...[0.01, 0.025, 0.05, 0.1, 0.25, 1],
];

type Labels = readonly string[];

function counter(name: string, labels: Labels, help: string): MetricDefinition {
  return { name, type: "counter", help, labels };
}

function gauge(name: string, labels: Labels, help: string): MetricDefinition {
  return { name, type: "gauge", help, labels };
}

function histogram(
  name: string,
  labels: Labels,
  buckets: readonly number[],
  help: string,
): MetricDefinition {
  return { name, type: "histogram", help, labels, buckets };
}

const TARGET = ["route", "model", "endpoint"] as const;
const ENDPOINT = ["endpoint", "model"] as const;

/** Metrics that are counted per request. */
export const REQUEST_METRICS = {
  requests: counter(
    "flexllm_requests_total",
    [...TARGET, "operation", "status", "outcome"],
    "Requests that ended. At a gateway, one without a status: the client left first.",
  ),
  duration: histogram(
    "flexllm_request_duration_seconds",
    TARGET,
    ANSWER_BUCKETS,
    "Time from a request to the end of its answer. Without an endpoint: from the cache.",
  ),
  firstToken: histogram(
    "flexllm_time_to_first_token_seconds",
    TARGET,
    ANSWER_BUCKETS,
    "Time from sending a streamed request to its first content.",
  ),
  queued: histogram(
    "flexllm_queue_seconds",
    ["route"],
    QUEUE_BUCKETS,
    "Time spent waiting: in the queue, for rate limits, and between attempts.",
  ),
  overhead: histogram(
    "flexllm_overhead_seconds",
    ["lane"],
    OVERHEAD_BUCKETS,
    "Time that the gateway added, without queue and endpoint.",
  ),
  tokens: counter(
    "flexllm_tokens_total",
    [...TARGET, "type"],
    "Tokens that endpoints charge for. Types cached and cache_write are parts of prompt, reasoning is a part of completion.",
  ),
  cost: counter("flexllm_cost_usd_total", TARGET, "Known costs in USD."),
  retries: counter(
    "flexllm_retries_total",
    TARGET,
    "Further attempts at the same endpoint; in a batch, at any endpoint.",
  ),
  fallbacks: counter(
    "flexllm_fallbacks_total",
    TARGET,
    "Further attempts at another endpoint, counted for the last one.",
  ),
  cache: counter("flexllm_cache_requests_total", ["result"], "Look-ups in the response cache."),
} as const;

/** Metrics of the endpoints of a process. */
export const ENDPOINT_METRICS = {
  state: gauge(
    "flexllm_endpoint_state",
    [...ENDPOINT, "state"],
    "1 for the current state of an endpoint, 0 for the other states.",
  ),
  inFlight: gauge(
    "flexllm_endpoint_in_flight_requests",
    ENDPOINT,
    "Requests in flight at an endpoint.",
  ),
  concurrency: gauge(
    "flexllm_endpoint_concurrency_limit",
    ENDPOINT,
    "Current maximum of requests in flight at an endpoint.",
  ),
} as const;

/** The version of a process. */
export const BUILD_INFO = gauge(
  "flexllm_build_info",
  ["version", "runtime", "runtime_version"],
  "The version, always 1.",
);

/** Metrics of the state of a gateway. */
export const GATEWAY_METRICS = {
  inFlight: gauge(
    "flexllm_in_flight_requests",
    [],
    "Calls in flight, those in the queue included.",
  ),
  queued: gauge("flexllm_queued_requests", [], "Calls that wait for an endpoint."),
  draining: gauge("flexllm_draining", [], "1 while the gateway is shutting down."),
  storeUp: gauge(
    "flexllm_shared_store_up",
    [],
    "1 while Redis, through which gateways share limits and budgets, can be used.",
  ),
  gateways: gauge(
    "flexllm_gateways",
    [],
    "Gateways that share limits and budgets, as last seen.",
  ),
  memory: gauge("process_resident_memory_bytes", [], "Memory in use."),
  startTime: gauge(
    "process_start_time_seconds",
    [],
    "When the process was started, in seconds since 1970.",
  ),
} as const;

function spending(prefix: string, whom: string, labels: Labels) {
  return {
    spent: gauge(
      `${prefix}_spent_usd`,
      labels,
      `USD spent by ${whom} in the current UTC day, month and altogether, with open reservations.`,
    ),
    remaining: gauge(
      `${prefix}_budget_remaining_usd`,
      labels,
      `USD left of the budgets of ${whom}.`,
    ),
  } as const;
}

/** Spending of virtual keys, their teams, and all keys together. */
export const SPENDING_METRICS = {
  key: spending("flexllm_key", "a key", ["key", "period"]),
  team: spending("flexllm_team", "a team", ["team", "period"]),
  all: spending("flexllm_all_keys", "all keys together", ["period"]),
} as const;

/** Metrics of a batch. In its file, all metrics also have the label `batch`. */
export const BATCH_METRICS = {
  records: gauge(
    "flexllm_batch_records",
    ["status"],
    "Records: succeeded and failed in this run, restored from the result file, or pending.",
  ),
  failures: gauge("flexllm_batch_failed_records", ["code"], "Failed records by kind of error."),
  running: gauge(
    "flexllm_batch_running",
    [],
    "1 while the batch runs, 0 once it has ended. If it is killed, it remains 1.",
  ),
  startTime: gauge(
    "flexllm_batch_start_time_seconds",
    [],
    "When the run was started, in seconds since 1970.",
  ),
  lastUpdate: gauge(
    "flexllm_batch_last_update_timestamp_seconds",
    [],
    "When the file was last written, in seconds since 1970.",
  ),
  spent: gauge(
    "flexllm_batch_spent_usd",
    [],
    "Known costs of the batch in USD, those of earlier runs included.",
  ),
  budget: gauge("flexllm_batch_budget_usd", [], "The budget in USD, if the batch has one."),
} as const;
