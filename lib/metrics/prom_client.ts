/**
 * Loads the library for metrics and creates metrics from their definitions.
 *
 * @module
 */
import type { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { MetricDefinition } from "./definitions.ts";

/** The library. */
export type PromClient = Pick<
  typeof import("prom-client"),
  "Counter" | "Gauge" | "Histogram" | "Registry"
>;

/** Sets the value of a gauge for the given labels. */
export type SetGauge = (labels: Record<string, string>, value: number) => void;

/** Loads the library, which takes about 100 ms. */
export async function loadPromClient(): Promise<PromClient> {
  const module: PromClient & { default?: PromClient } = await import("prom-client");
  // In a bundle, the exports of a CommonJS module are only in `default`.
  return module.default ?? module;
}

/** Creates the metrics of one registry. */
export class MetricFactory {
  /** Where the metrics are registered. */
  readonly registry: Registry;
  readonly #prom: PromClient;

  constructor(prom: PromClient) {
    this.#prom = prom;
    this.registry = new prom.Registry();
  }

  #options({ name, help, labels }: MetricDefinition) {
    return { name, help, labelNames: [...labels], registers: [this.registry] };
  }

  /** Creates a counter. */
  counter(definition: MetricDefinition): Counter {
    return new this.#prom.Counter(this.#options(definition));
  }

  /** Creates a histogram. */
  histogram(definition: MetricDefinition): Histogram {
    const { buckets = [] } = definition;
    return new this.#prom.Histogram({ ...this.#options(definition), buckets: [...buckets] });
  }

  /** Creates a gauge that `read` sets whenever the registry is read. */
  gauge(definition: MetricDefinition, read: (set: SetGauge) => void): Gauge {
    return new this.#prom.Gauge({
      ...this.#options(definition),
      collect() {
        // Keys and endpoints that no longer exist must not remain.
        this.reset();
        read((labels, value) => this.set(labels, value));
      },
    });
  }

  /** Creates a gauge without labels. */
  value(definition: MetricDefinition, read: () => number): Gauge {
    return this.gauge(definition, (set) => set({}, read()));
  }
}
