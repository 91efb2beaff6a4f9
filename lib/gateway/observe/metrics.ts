/**
 * Serves the metrics of a gateway in the text format of Prometheus.
 *
 * @module
 */
import type { Registry } from "prom-client";
import { loadPromClient, MetricFactory } from "../../metrics/prom_client.ts";
import { RequestMetrics } from "../../metrics/request_metrics.ts";
import type { GatewayFacts } from "../gateway_facts.ts";
import { Lazy } from "../../runtime/lazy.ts";
import type { ObservedGateway } from "./observed_gateway.ts";
import { addStateMetrics } from "./state_metrics.ts";

/** The metrics, with their library. */
interface Loaded {
  registry: Registry;
  requests: RequestMetrics;
}

/** The metrics of one gateway. Several gateways of a process do not share any. */
export class GatewayMetrics {
  readonly #state: ObservedGateway;
  /** Loads the library at first use: that takes about 100 ms. */
  readonly #loading = new Lazy(() => this.#start());
  #loaded: Loaded | undefined;
  /** Requests that ended while the library was being loaded. */
  #early: GatewayFacts[] = [];

  constructor(state: ObservedGateway) {
    this.#state = state;
  }

  /** Counts a request. */
  add(facts: GatewayFacts): void {
    if (this.#loaded !== undefined) return this.#loaded.requests.add(facts);
    this.#early.push(facts);
    // A failure is reported to those who read the metrics.
    this.#loading.get().catch(() => this.#early = []);
  }

  /** Returns the metrics as text, and its content type. */
  async read(): Promise<{ text: string; contentType: string }> {
    const { registry, requests } = await this.#loading.get();
    requests.flush();
    return { text: await registry.metrics(), contentType: registry.contentType };
  }

  async #start(): Promise<Loaded> {
    const metrics = new MetricFactory(await loadPromClient());
    const requests = new RequestMetrics(metrics, true);
    addStateMetrics(metrics, this.#state);
    for (const facts of this.#early) requests.add(facts);
    this.#early = [];
    return this.#loaded = { registry: metrics.registry, requests };
  }
}
