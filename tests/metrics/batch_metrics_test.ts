import assert from "node:assert/strict";
import type { Outcome } from "../../lib/batch/executor.ts";
import type { CallFacts } from "../../lib/chat/call_facts.ts";
import type { EndpointStats } from "../../lib/client/endpoint_stats.ts";
import { InternalError } from "../../lib/errors.ts";
import {
  BatchMetrics,
  type BatchMetricsOptions,
  type BatchState,
} from "../../lib/metrics/batch_metrics.ts";
import { chatResult } from "../support/chat_result.ts";
import { parsePrometheus, valuesOf } from "../support/prometheus_text.ts";

const SERVER = "http://gpu1/v1";

const FACTS: CallFacts = {
  at: 0,
  model: "qwen",
  endpoint: SERVER,
  queued: 0.5,
  attempts: 1,
  duration: 2,
  usage: { promptTokens: 100, completionTokens: 20, totalTokens: 120 },
  cost: 0.25,
  cached: false,
  outcome: "success",
};

function outcome(facts: Partial<CallFacts> = {}, isCollected = false): Outcome {
  const record = { index: 0, messages: [] };
  const all = { ...FACTS, ...facts };
  return all.outcome === "success"
    ? { record, facts: all, isCollected, ok: true, result: chatResult("hi") }
    : { record, facts: all, isCollected, ok: false, error: new InternalError("broken") };
}

function endpoint(fields: Partial<EndpointStats> = {}): EndpointStats {
  return {
    endpoint: SERVER,
    model: "qwen",
    state: "up",
    retryIn: null,
    inFlight: 3,
    concurrency: 10,
    rate: null,
    answers: 0,
    failures: 0,
    latency: null,
    lastError: null,
    ...fields,
  };
}

const STATE: BatchState = {
  isRunning: true,
  total: 100,
  summary: { succeeded: 40, failed: 5, restored: 20, cost: 1.5, errors: { timeout: 5 } },
  endpoints: [endpoint()],
};

async function metricsOf(outcomes: readonly Outcome[], options: Partial<BatchMetricsOptions> = {}) {
  const metrics = await BatchMetrics.load({
    name: "translate",
    isCacheOn: true,
    budget: undefined,
    spentBefore: 0.5,
    state: () => STATE,
    now: () => 1_800_000_000_000,
    ...options,
  });
  metrics.add(outcomes);
  return parsePrometheus(await metrics.text());
}

Deno.test("has the records by status, and the times and costs of the batch", async () => {
  const found = await metricsOf([], { budget: 20 });
  const values = (name: string) => valuesOf(found, name);
  const records = { succeeded: 40, failed: 5, restored: 20, pending: 35 };
  assert.deepEqual(values("flexllm_batch_records"), records);
  assert.deepEqual(values("flexllm_batch_failed_records"), { timeout: 5 });
  assert.deepEqual(values("flexllm_batch_running"), { "": 1 });
  assert.deepEqual(values("flexllm_batch_start_time_seconds"), { "": 1_800_000_000 });
  assert.deepEqual(values("flexllm_batch_last_update_timestamp_seconds"), { "": 1_800_000_000 });
  assert.deepEqual(values("flexllm_batch_spent_usd"), { "": 2 });
  assert.deepEqual(values("flexllm_batch_budget_usd"), { "": 20 });
});

Deno.test("a batch without a budget has no metric of it", async () => {
  assert.ok(!(await metricsOf([])).has("flexllm_batch_budget_usd"));
});

Deno.test("counts calls by model and endpoint, without the labels of a gateway", async () => {
  const found = await metricsOf([
    outcome(),
    outcome({ attempts: 3, cost: 0.5 }),
    outcome({ outcome: "error", errorCode: "timeout", usage: null, cost: null }),
    outcome({ cached: true, attempts: 0, endpoint: undefined, queued: 0, duration: 0.001 }),
  ]);
  const values = (name: string) => valuesOf(found, name);
  assert.deepEqual(values("flexllm_requests_total"), {
    [`qwen ${SERVER} chat success`]: 2,
    [`qwen ${SERVER} chat error`]: 1,
    "  chat success": 1,
  });
  assert.deepEqual(values("flexllm_tokens_total"), {
    [`qwen ${SERVER} prompt`]: 200,
    [`qwen ${SERVER} completion`]: 40,
  });
  assert.deepEqual(values("flexllm_cost_usd_total"), { [`qwen ${SERVER}`]: 0.75 });
  assert.deepEqual(values("flexllm_retries_total"), { [`qwen ${SERVER}`]: 2 });
  assert.deepEqual(values("flexllm_cache_requests_total"), { hit: 1, miss: 3 });
  const labels = [...found.values()].flatMap(({ samples }) => samples)
    .flatMap(({ labels }) => Object.keys(labels));
  for (const name of ["route", "status", "lane"]) {
    const isOfRecords = ({ labels }: { labels: Record<string, string> }) => name in labels;
    const wrong = [...found].filter(([metric, { samples }]) =>
      metric !== "flexllm_batch_records" && samples.some(isOfRecords)
    );
    assert.deepEqual(wrong, [], name);
  }
  assert.ok(labels.includes("batch"));
  for (const { samples } of found.values()) {
    for (const sample of samples) assert.equal(sample.labels.batch, "translate", sample.name);
  }
});

Deno.test("has no metric of the process, which exporters have themselves", async () => {
  const found = await metricsOf([outcome()]);
  for (const name of found.keys()) assert.match(name, /^flexllm_/);
});

Deno.test("rows of provider jobs have tokens and costs, but no times", async () => {
  const found = await metricsOf([outcome({ duration: 0 }, true)]);
  assert.deepEqual(valuesOf(found, "flexllm_cost_usd_total"), { [`qwen ${SERVER}`]: 0.25 });
  const { samples } = found.get("flexllm_request_duration_seconds")!;
  assert.equal(samples.find(({ name }) => name.endsWith("_count"))?.value ?? 0, 0);
});

Deno.test("endpoints with the same server and model are added up", async () => {
  const endpoints = [
    endpoint(),
    endpoint({ state: "down", inFlight: 1 }),
    endpoint({ model: "b" }),
  ];
  const found = await metricsOf([], { state: () => ({ ...STATE, endpoints }) });
  assert.deepEqual(valuesOf(found, "flexllm_endpoint_in_flight_requests"), {
    [`${SERVER} qwen`]: 4,
    [`${SERVER} b`]: 3,
  });
  assert.deepEqual(valuesOf(found, "flexllm_endpoint_concurrency_limit"), {
    [`${SERVER} qwen`]: 20,
    [`${SERVER} b`]: 10,
  });
  const states = valuesOf(found, "flexllm_endpoint_state");
  assert.equal(states[`${SERVER} qwen up`], 1);
  assert.equal(states[`${SERVER} qwen down`], 1);
  assert.equal(states[`${SERVER} b down`], 0);
});

Deno.test("names with quotes, backslashes and line breaks are escaped", async () => {
  const model = 'a"b\\c\nd';
  const found = await metricsOf([outcome({ model })], { name: 'x"\n' });
  const [{ labels }] = found.get("flexllm_cost_usd_total")!.samples;
  assert.equal(labels.model, model);
  assert.equal(labels.batch, 'x"\n');
});

Deno.test("records that name any model cannot create any number of series", async () => {
  const outcomes = Array.from({ length: 3000 }, (_, i) => outcome({ model: `m${i}` }));
  const { samples } = (await metricsOf(outcomes)).get("flexllm_requests_total")!;
  assert.ok(samples.length <= 1001, `${samples.length} series`);
  assert.equal(samples.reduce((sum, { value }) => sum + value, 0), 3000);
});
