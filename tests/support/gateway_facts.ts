/** Makes facts and states of gateways for tests. */
import type { KeyReport } from "../../lib/gateway/access.ts";
import type { GatewayFacts } from "../../lib/gateway/gateway_facts.ts";
import type {
  EndpointReport,
  ObservedGateway,
} from "../../lib/gateway/observe/observed_gateway.ts";

/** 2026-11-27 12:00:00 UTC. */
export const NOON = Date.UTC(2026, 10, 27, 12);

/** The facts of a call that succeeded at endpoint `gpu1`, with changes. */
export function gatewayFacts(changes: Partial<GatewayFacts> = {}): GatewayFacts {
  return {
    at: NOON,
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
    queued: 0,
    attempts: 1,
    retries: 0,
    fallbacks: 0,
    duration: 1.5,
    overhead: 0.0004,
    usage: { promptTokens: 100, completionTokens: 20, totalTokens: 120 },
    cost: 0.01,
    cache: "off",
    outcome: "success",
    ...changes,
  };
}

/** The report of an endpoint that is up, with changes. */
export function endpointReport(changes: Partial<EndpointReport> = {}): EndpointReport {
  return {
    name: "gpu1",
    endpoint: "http://gpu1:8000/v1",
    model: "qwen",
    state: "up",
    retryIn: null,
    inFlight: 2,
    concurrency: 10,
    rate: null,
    answers: 1234,
    failures: 0,
    latency: 0.42,
    lastError: null,
    ...changes,
  };
}

/** The report of an active key, with changes. */
export function keyReport(changes: Partial<KeyReport> = {}): KeyReport {
  return {
    kind: "key",
    name: "alice",
    prefix: "sk-flex-a1b2",
    state: "active",
    limits: {},
    spent: { day: 0.5, month: 12.25, total: 80 },
    inFlight: 1,
    requests: 42,
    ...changes,
  };
}

/** The state of a gateway with one endpoint and one route, with changes. */
export function observedGateway(changes: Partial<ObservedGateway> = {}): ObservedGateway {
  return {
    isDraining: false,
    inFlight: 2,
    queued: 0,
    endpoints: [endpointReport()],
    routes: [{ name: "fast", targets: ["gpu1"], loadBalance: "fallback", sticky: true }],
    ...changes,
  };
}
