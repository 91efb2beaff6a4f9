/** Totals, traffic, recent errors, readiness and the access log's records. */
import assert from "node:assert/strict";
import { accessRecord } from "../../../lib/gateway/observe/access_record.ts";
import { GatewayMonitor } from "../../../lib/gateway/observe/gateway_monitor.ts";
import { readiness } from "../../../lib/gateway/observe/observed_gateway.ts";
import { gatewayStatus } from "../../../lib/gateway/status.ts";
import { FlexLLMError } from "../../../lib/errors.ts";
import {
  endpointReport,
  gatewayFacts,
  keyReport,
  NOON,
  observedGateway,
} from "../../support/gateway_facts.ts";

const MINUTE = 60_000;

Deno.test("totals count outcomes, and tokens only of answers that endpoints generated", () => {
  const monitor = new GatewayMonitor(observedGateway());
  monitor.observe(gatewayFacts({ retries: 1 }));
  monitor.observe(gatewayFacts({ cache: "hit", cost: 0 }));
  monitor.observe(gatewayFacts({ outcome: "error", usage: null, cost: null, fallbacks: 2 }));
  monitor.observe(gatewayFacts({ outcome: "aborted" }));
  assert.deepEqual(monitor.totals, {
    requests: 4,
    errors: 1,
    aborted: 1,
    cacheHits: 1,
    promptTokens: 200,
    completionTokens: 40,
    cost: 0.02,
    retries: 1,
    fallbacks: 2,
  });
});

Deno.test("traffic has the last 60 minutes, with those without requests", () => {
  let now = NOON;
  const monitor = new GatewayMonitor(observedGateway(), { now: () => now });
  monitor.observe(gatewayFacts());
  now = NOON + 59_999;
  monitor.observe(gatewayFacts({ outcome: "error" }));
  now = NOON + 3 * MINUTE;
  monitor.observe(gatewayFacts({ cache: "hit", cost: null }));
  const { traffic } = monitor;
  assert.equal(traffic.length, 60);
  assert.equal(traffic[0].at, NOON - 56 * MINUTE);
  assert.deepEqual(traffic[56], { at: NOON, requests: 2, errors: 1, tokens: 240, cost: 0.02 });
  assert.deepEqual(traffic.slice(57).map(({ requests }) => requests), [0, 0, 1]);
  assert.equal(traffic[59].tokens, 0);

  now = NOON + 59 * MINUTE;
  assert.equal(monitor.traffic[0].requests, 2);
  // The slot of a minute is used again an hour later.
  now = NOON + 60 * MINUTE;
  monitor.observe(gatewayFacts());
  assert.deepEqual(
    monitor.traffic.filter(({ requests }) => requests > 0).map(({ at }) => (at - NOON) / MINUTE),
    [3, 60],
  );
  now = NOON + 600 * MINUTE;
  assert.ok(monitor.traffic.every(({ requests }) => requests === 0));
});

Deno.test("the most recent 100 errors are stored, newest first", () => {
  const monitor = new GatewayMonitor(observedGateway());
  for (let i = 0; i < 250; i++) {
    monitor.observe(gatewayFacts({ id: `c${i}`, outcome: "error", error: `error ${i}` }));
    monitor.observe(gatewayFacts({ outcome: "aborted" }));
  }
  const errors = monitor.recentErrors;
  assert.equal(errors.length, 100);
  assert.deepEqual([errors[0].id, errors[99].id], ["c249", "c150"]);
});

Deno.test("errors of clients with huge texts stay small", () => {
  const monitor = new GatewayMonitor(observedGateway());
  const huge = "x".repeat(1_000_000);
  const facts = gatewayFacts({ outcome: "error", error: huge, requestedModel: huge, path: huge });
  monitor.observe(facts);
  assert.ok(JSON.stringify(monitor.recentErrors).length < 1000);
  assert.ok(JSON.stringify(accessRecord({ ...facts, operation: huge })).length < 2000);
});

Deno.test("an observer that throws breaks nothing", () => {
  const seen: string[] = [];
  const monitor = new GatewayMonitor(observedGateway(), {
    onRequest({ id }) {
      seen.push(id);
      throw new Error("disk full");
    },
  });
  monitor.observe(gatewayFacts({ id: "a" }));
  monitor.observe(gatewayFacts({ id: "b" }));
  assert.deepEqual(seen, ["a", "b"]);
  assert.equal(monitor.totals.requests, 2);
});

Deno.test("a gateway is ready while an endpoint takes requests and it is not draining", () => {
  const of = (...endpoints: Parameters<typeof endpointReport>[0][]) =>
    readiness(observedGateway({ endpoints: endpoints.map(endpointReport) }));
  const down = { state: "down", retryIn: 30 } as const;
  const noEndpoint = { ready: false, reason: "no endpoint is up" };
  assert.deepEqual(of(down, {}), { ready: true });
  assert.deepEqual(of(down, { state: "cooling", retryIn: 5 }), { ready: true });
  assert.deepEqual(of(down, { state: "probing" }), noEndpoint);
  assert.deepEqual(of(), noEndpoint);
  // Only a request can show that the endpoint has recovered.
  assert.deepEqual(of({ state: "down", retryIn: null }), { ready: true });
  assert.deepEqual(readiness(observedGateway({ isDraining: true })), {
    ready: false,
    reason: "draining",
  });
});

Deno.test("the status can be written as JSON, without the inside of errors", () => {
  let now = NOON;
  const cause = new Error("Authorization: Bearer sk-secret");
  const lastError = new FlexLLMError("connection", "connection refused", { cause });
  const monitor = new GatewayMonitor(
    observedGateway({
      endpoints: [endpointReport({ state: "down", lastError })],
      keys: [keyReport()],
    }),
    { now: () => now },
  );
  now = NOON + 90_500;
  const status = JSON.parse(JSON.stringify(gatewayStatus(monitor)));
  assert.equal(status.startedAt, "2026-11-27T12:00:00.000Z");
  assert.equal(status.uptime, 90.5);
  assert.equal(status.ready, true);
  assert.deepEqual(status.endpoints[0].lastError, {
    code: "connection",
    message: "connection refused",
  });
  assert.equal(status.keys[0].name, "alice");
  assert.doesNotMatch(JSON.stringify(status), /sk-secret/);
  assert.equal(gatewayStatus(new GatewayMonitor(observedGateway())).keys, null);
});

Deno.test("a record of the access log is one line with known fields only", () => {
  const facts = { ...gatewayFacts({ firstToken: 0.12345678, cost: null }), prompt: "secret" };
  const line = JSON.stringify(accessRecord({ ...facts, error: "first\nsecond" }));
  assert.doesNotMatch(line, /\n|secret/);
  assert.deepEqual(JSON.parse(line), {
    time: "2026-11-27T12:00:00.000Z",
    id: "call1",
    method: "POST",
    path: "/v1/chat/completions",
    operation: "chat",
    format: "openai",
    requestedModel: "fast",
    route: "fast",
    model: "qwen",
    endpoint: "gpu1",
    lane: "native",
    stream: false,
    status: 200,
    outcome: "success",
    error: "first\nsecond",
    attempts: 1,
    retries: 0,
    fallbacks: 0,
    cache: "off",
    promptTokens: 100,
    completionTokens: 20,
    duration: 1.5,
    queued: 0,
    overhead: 0.0004,
    firstToken: 0.123457,
  });
});
