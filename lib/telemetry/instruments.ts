/**
 * Creates the instruments with which metrics are recorded.
 *
 * @module
 */
import type { Attributes, Counter, Histogram, Meter } from "@opentelemetry/api";
import { type MetricKey, METRICS } from "./semantic_names.ts";

/** Records values of the metric of the same name in {@link METRICS}. */
export class Instruments {
  readonly #recorders: Record<string, (value: number, attributes: Attributes) => void> = {};

  constructor(meter: Meter) {
    for (const [key, definition] of Object.entries(METRICS)) {
      const { name, unit, description, buckets } = definition;
      if (definition.kind === "counter") {
        const counter: Counter = meter.createCounter(name, { unit, description });
        this.#recorders[key] = (value, attributes) => counter.add(value, attributes);
      } else {
        const advice = { explicitBucketBoundaries: [...buckets!] };
        const histogram: Histogram = meter.createHistogram(name, { unit, description, advice });
        this.#recorders[key] = (value, attributes) => histogram.record(value, attributes);
      }
    }
  }

  /** Records one value. */
  record(metric: MetricKey, value: number, attributes: Attributes): void {
    this.#recorders[metric](value, attributes);
  }
}
