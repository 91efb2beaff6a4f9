/** Registers the official SDK for the time of a test, and keeps what it receives in memory. */
import { context, metrics, propagation, SpanKind, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";

/** What was recorded, until the end of the `await using` block. */
export class RecordedTelemetry implements AsyncDisposable {
  readonly #spans = new InMemorySpanExporter();
  readonly #metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  readonly #meters: MeterProvider;

  constructor({ sampler }: { sampler?: Sampler } = {}) {
    const spanProcessors = [new SimpleSpanProcessor({ exporter: this.#spans })];
    const reader = new PeriodicExportingMetricReader({
      exporter: this.#metrics,
      exportIntervalMillis: 1e6,
      exportTimeoutMillis: 1e6,
    });
    this.#meters = new MeterProvider({ readers: [reader] });
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors, sampler }));
    metrics.setGlobalMeterProvider(this.#meters);
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  }

  /** All ended spans. */
  get spans(): ReadableSpan[] {
    return this.#spans.getFinishedSpans();
  }

  /** The spans whose name starts with `name`. */
  named(name: string): ReadableSpan[] {
    return this.spans.filter((span) => span.name.startsWith(name));
  }

  /** The only span whose name starts with `name`. */
  only(name: string): ReadableSpan {
    const spans = this.named(name);
    if (spans.length !== 1) {
      throw new Error(`${spans.length} spans ${name}: ${this.spans.map(({ name }) => name)}`);
    }
    return spans[0];
  }

  /** The metrics so far, by name. */
  async metrics(): Promise<Map<string, MetricData>> {
    await this.#meters.forceFlush();
    const scopes = this.#metrics.getMetrics().at(-1)?.scopeMetrics ?? [];
    return new Map(
      scopes.flatMap(({ metrics }) => metrics).map((data) => [data.descriptor.name, data]),
    );
  }

  /** Everything that an exporter would get, as text. */
  async text(): Promise<string> {
    const spans = this.spans.map(({ name, attributes, events, status, links, resource }) => ({
      name,
      attributes,
      events,
      status,
      links,
      resource: resource.attributes,
    }));
    return JSON.stringify([spans, [...await this.metrics()]]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    trace.disable();
    metrics.disable();
    context.disable();
    propagation.disable();
    await this.#meters.shutdown();
  }
}

/** The parent of a span. */
export function parentOf(span: ReadableSpan): string | undefined {
  return span.parentSpanContext?.spanId;
}

export { SpanKind };
