import assert from "node:assert/strict";
import { GatewayMetrics } from "../../../lib/gateway/observe/metrics.ts";
import {
  endpointReport,
  gatewayFacts,
  keyReport,
  observedGateway,
} from "../../support/gateway_facts.ts";

/** The samples of a text, by name and labels. */
async function samples(metrics: GatewayMetrics): Promise<Map<string, number>> {
  const { text } = await metrics.read();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => {
    const at = line.lastIndexOf(" ");
    return [line.slice(0, at), Number(line.slice(at + 1))];
  }));
}

const TARGET = 'route="fast",model="qwen",endpoint="gpu1"';

Deno.test("counts requests, times, tokens, costs and retries", async () => {
  const metrics = new GatewayMetrics(observedGateway());
  const usage = {
    promptTokens: 100,
    completionTokens: 20,
    totalTokens: 120,
    cachedTokens: 60,
    reasoningTokens: 5,
  };
  // The first ones come while the library is being loaded.
  metrics.add(gatewayFacts({ usage, retries: 2, fallbacks: 1, firstToken: 0.3, queued: 7 }));
  metrics.add(gatewayFacts({ outcome: "error", status: 502, usage: null, cost: null }));
  await metrics.read();
  metrics.add(gatewayFacts({ cost: 0.5, overhead: 0.02, lane: "translated" }));
  const found = await samples(metrics);
  const value = (name: string) => found.get(name);
  const requests = (status: number, outcome: string) =>
    value(
      `flexllm_requests_total{${TARGET},operation="chat",status="${status}",outcome="${outcome}"}`,
    );
  assert.equal(requests(200, "success"), 2);
  assert.equal(requests(502, "error"), 1);
  assert.equal(value(`flexllm_tokens_total{${TARGET},type="prompt"}`), 200);
  assert.equal(value(`flexllm_tokens_total{${TARGET},type="completion"}`), 40);
  assert.equal(value(`flexllm_tokens_total{${TARGET},type="cached"}`), 60);
  assert.equal(value(`flexllm_tokens_total{${TARGET},type="reasoning"}`), 5);
  assert.equal(value(`flexllm_cost_usd_total{${TARGET}}`), 0.51);
  assert.equal(value(`flexllm_retries_total{${TARGET}}`), 2);
  assert.equal(value(`flexllm_fallbacks_total{${TARGET}}`), 1);
  assert.equal(value(`flexllm_request_duration_seconds_count{${TARGET}}`), 3);
  assert.equal(value(`flexllm_request_duration_seconds_sum{${TARGET}}`), 4.5);
  assert.equal(value(`flexllm_time_to_first_token_seconds_count{${TARGET}}`), 1);
  assert.equal(value('flexllm_queue_seconds_sum{route="fast"}'), 7);
  assert.equal(value('flexllm_overhead_seconds_bucket{le="0.0005",lane="native"}'), 2);
  assert.equal(value('flexllm_overhead_seconds_sum{lane="translated"}'), 0.02);
  assert.equal(value(`flexllm_request_duration_seconds_bucket{le="600",${TARGET}}`), 3);
});

Deno.test("answers from the cache cost no tokens and no money", async () => {
  const metrics = new GatewayMetrics(observedGateway());
  metrics.add(
    gatewayFacts({ cache: "hit", attempts: 0, endpoint: undefined, lane: undefined, cost: 0 }),
  );
  metrics.add(gatewayFacts({ cache: "miss" }));
  const found = await samples(metrics);
  assert.equal(found.get('flexllm_cache_requests_total{result="hit"}'), 1);
  assert.equal(found.get('flexllm_cache_requests_total{result="miss"}'), 1);
  assert.equal(found.get(`flexllm_tokens_total{${TARGET},type="prompt"}`), 100);
  const fromCache = 'flexllm_request_duration_seconds_count{route="fast",model="",endpoint=""}';
  assert.equal(found.get(fromCache), 1);
});

Deno.test("refused requests and other operations don't distort the times of answers", async () => {
  const metrics = new GatewayMetrics(observedGateway());
  const refused = { attempts: 0, endpoint: undefined, lane: undefined, usage: null, cost: null };
  metrics.add(gatewayFacts({ ...refused, status: 402, outcome: "error" }));
  metrics.add(gatewayFacts({ operation: "count_tokens" }));
  metrics.add(gatewayFacts({ ...refused, outcome: "aborted", status: undefined }));
  const found = await samples(metrics);
  const durations = [...found.keys()].filter((name) => name.includes("duration_seconds"));
  assert.deepEqual(durations, []);
  const labels = 'route="fast",model="",endpoint="",operation="chat"';
  assert.equal(
    found.get(`flexllm_requests_total{${labels},status="402",outcome="error"}`),
    1,
  );
  assert.equal(
    found.get(`flexllm_requests_total{${labels},status="",outcome="aborted"}`),
    1,
  );
});

Deno.test("clients cannot create time series", async () => {
  const metrics = new GatewayMetrics(observedGateway());
  await metrics.read();
  for (let i = 0; i < 3000; i++) {
    const unknown = { requestedModel: `m${i}`, route: undefined, model: `m${i}` };
    metrics.add(gatewayFacts({ ...unknown, endpoint: undefined, attempts: 0, status: 404 }));
    metrics.add(gatewayFacts({ operation: `/path/${i}`, route: undefined }));
    // Not even if the pool passes any model on.
    metrics.add(gatewayFacts({ model: `m${i}` }));
  }
  const found = await samples(metrics);
  const requests = [...found].filter(([name]) => name.startsWith("flexllm_requests_total"));
  assert.ok(requests.length <= 1001, `${requests.length} series`);
  assert.equal(requests.reduce((sum, [, value]) => sum + value, 0), 9000);
  const other =
    'flexllm_requests_total{route="other",model="",endpoint="",operation="chat",status="404",outcome="success"}';
  assert.equal(found.get(other), 3000);
});

Deno.test("invalid numbers are not counted", async () => {
  const metrics = new GatewayMetrics(observedGateway());
  const usage = { promptTokens: NaN, completionTokens: -1, totalTokens: NaN, cachedTokens: 0 };
  metrics.add(gatewayFacts({ usage, cost: NaN, firstToken: NaN, overhead: Infinity }));
  await metrics.read();
  metrics.add(gatewayFacts({ usage: null, cost: -1, duration: NaN }));
  const { text } = await metrics.read();
  assert.doesNotMatch(text, /^flexllm_(tokens|cost|time_to_first)\w*\{|NaN|Nan|Inf$/m);
});

Deno.test("reads endpoints, keys and the queue at each scrape", async () => {
  let endpoints = [endpointReport()];
  let keys = [
    keyReport({ kind: "all", name: "", limits: { budget: { month: 100 } } }),
    keyReport({ kind: "team", name: "research" }),
    keyReport({ name: 'al"ice', limits: { budget: { day: 2, total: 50 } } }),
  ];
  const state = {
    ...observedGateway({ queued: 3 }),
    get endpoints() {
      return endpoints;
    },
    get keys() {
      return keys;
    },
  };
  const metrics = new GatewayMetrics(state);
  const before = await samples(metrics);
  assert.equal(before.get("flexllm_in_flight_requests"), 2);
  assert.equal(before.get("flexllm_queued_requests"), 3);
  const stateOf = (found: Map<string, number>, state: string) =>
    found.get(`flexllm_endpoint_state{endpoint="gpu1",model="qwen",state="${state}"}`);
  assert.equal(stateOf(before, "up"), 1);
  assert.equal(stateOf(before, "down"), 0);
  const budget = "flexllm_key_budget_remaining_usd";
  assert.equal(before.get(`${budget}{key="al\\"ice",period="day"}`), 1.5);
  assert.equal(before.get(`${budget}{key="al\\"ice",period="total"}`), 0);
  assert.equal(before.has(`${budget}{key="al\\"ice",period="month"}`), false);
  assert.equal(before.get('flexllm_team_spent_usd{team="research",period="month"}'), 12.25);
  assert.equal(before.get('flexllm_all_keys_budget_remaining_usd{period="month"}'), 87.75);

  endpoints = [endpointReport({ state: "down" })];
  keys = [];
  const after = await samples(metrics);
  assert.equal(stateOf(after, "up"), 0);
  assert.equal(stateOf(after, "down"), 1);
  assert.deepEqual([...after.keys()].filter((name) => name.includes("key=")), []);
});

Deno.test("of too many keys, those that spent the most have time series", async () => {
  const keys = Array.from(
    { length: 700 },
    (_, i) => keyReport({ name: `key${i}`, spent: { day: 0, month: i, total: i } }),
  );
  const metrics = new GatewayMetrics(observedGateway({ keys }));
  const found = await samples(metrics);
  const names = [...found.keys()].filter((name) =>
    /^flexllm_key_spent_usd.*period="month"/.test(name)
  );
  assert.equal(names.length, 500);
  assert.ok(found.has('flexllm_key_spent_usd{key="key699",period="month"}'));
  assert.ok(!found.has('flexllm_key_spent_usd{key="key0",period="month"}'));
});

Deno.test("two gateways of a process share nothing", async () => {
  const [first, second] = [
    new GatewayMetrics(observedGateway()),
    new GatewayMetrics(observedGateway()),
  ];
  first.add(gatewayFacts());
  const { contentType } = await first.read();
  assert.match(contentType, /^text\/plain; version=0\.0\.4/);
  assert.doesNotMatch((await second.read()).text, /^flexllm_requests_total\{/m);
});
