/**
 * Warns when spans are lost because the collector is slower than the calls: the SDK drops them silently.
 *
 * @module
 */
import type { ReadableSpan, SpanExporter, SpanProcessor } from "@opentelemetry/sdk-trace";

/** The value of `TraceFlags` for a sampled trace. */
const SAMPLED = 1;

/** Counts the spans between their end and their export. */
export class WaitingSpans implements SpanProcessor {
  readonly #max: number;
  readonly #warn: (message: string) => void;
  #count = 0;

  /** @param max how many spans the SDK keeps until their export */
  constructor(max: number, warn: (message: string) => void) {
    this.#max = max;
    this.#warn = warn;
  }

  /** Counts the spans that `exporter` gets. */
  count(exporter: SpanExporter): SpanExporter {
    const send = exporter.export.bind(exporter);
    exporter.export = (spans, done) => {
      this.#count -= spans.length;
      send(spans, done);
    };
    return exporter;
  }

  /** Counts a span, unless there are too many. */
  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & SAMPLED) === 0) return;
    if (this.#count < this.#max) this.#count++;
    else {
      this.#warn(
        "some spans are lost, since the collector does not accept them fast enough; record fewer " +
          "(OTEL_TRACES_SAMPLER), or keep more of them waiting (OTEL_BSP_MAX_QUEUE_SIZE)",
      );
    }
  }

  /** Does nothing. */
  onStart(): void {}

  /** Does nothing. */
  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  /** Does nothing. */
  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}
