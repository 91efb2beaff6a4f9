/**
 * Exports spans and metrics with the official SDK, for the command line. Loaded only if a collector is named.
 *
 * @module
 */
import { context, metrics, propagation, type TextMapPropagator, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  CompositePropagator,
  type ExportResult,
  ExportResultCode,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from "@opentelemetry/core";
import {
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
} from "@opentelemetry/resources";
import {
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from "@opentelemetry/sdk-metrics";
import {
  BatchSpanProcessor,
  type BatchSpanProcessorOptions,
  type SpanExporter,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { VERSION } from "../../version.ts";
import {
  type Environment,
  type ExportSettings,
  numberOf,
  type OtlpProtocol,
  positiveOf,
} from "./export_settings.ts";
import { samplerOf } from "./sampler.ts";
import { WaitingSpans } from "./waiting_spans.ts";

/** Default number of spans that wait for their export, as in the specification. */
const MAX_WAITING = 2048;

/** Maximum number of exports of spans at a time; at the end, a long queue is sent at once. */
const MAX_EXPORTS = 1000;

/** A running export. */
export interface TelemetryExport {
  /** Sends what is pending, and ends the export. */
  stop(): Promise<void>;
}

/** The exporter's own functions, for both signals. */
interface Exporter {
  export(items: never, done: (result: ExportResult) => void): void;
}

/** Makes an exporter report its failures. */
function reporting<E extends Exporter>(exporter: E, onFailure: (error?: Error) => void): E {
  const send = exporter.export.bind(exporter) as Exporter["export"];
  exporter.export = (items, done) =>
    send(items, (result) => {
      if (result.code === ExportResultCode.FAILED) onFailure(result.error);
      done(result);
    });
  return exporter;
}

async function traceExporter(protocol: OtlpProtocol): Promise<SpanExporter> {
  const { OTLPTraceExporter } = protocol === "http/json"
    ? await import("@opentelemetry/exporter-trace-otlp-http")
    : await import("@opentelemetry/exporter-trace-otlp-proto");
  return new OTLPTraceExporter({ concurrencyLimit: MAX_EXPORTS });
}

async function metricExporter(protocol: OtlpProtocol): Promise<PushMetricExporter> {
  const { OTLPMetricExporter } = protocol === "http/json"
    ? await import("@opentelemetry/exporter-metrics-otlp-http")
    : await import("@opentelemetry/exporter-metrics-otlp-proto");
  return new OTLPMetricExporter();
}

const PROPAGATORS: Readonly<Record<string, () => TextMapPropagator>> = {
  tracecontext: () => new W3CTraceContextPropagator(),
  baggage: () => new W3CBaggagePropagator(),
};

function propagatorOf(env: Environment): TextMapPropagator {
  const names = (env.OTEL_PROPAGATORS || "tracecontext,baggage").split(",");
  const known = names.flatMap((name) => PROPAGATORS[name.trim()]?.() ?? []);
  return new CompositePropagator({ propagators: known });
}

function resource(): Resource {
  const own = { "service.name": "flexllm", "service.version": VERSION };
  // The variables of the user take precedence.
  return resourceFromAttributes(own).merge(detectResources({ detectors: [envDetector] }));
}

/** The options of the exporting of spans that are set; the SDK has the defaults. */
function batchOptions(env: Environment): Partial<BatchSpanProcessorOptions> {
  const options = {
    scheduledDelayMillis: numberOf(env, "OTEL_BSP_SCHEDULE_DELAY"),
    exportTimeoutMillis: positiveOf(env, "OTEL_BSP_EXPORT_TIMEOUT"),
    maxQueueSize: positiveOf(env, "OTEL_BSP_MAX_QUEUE_SIZE"),
    maxExportBatchSize: positiveOf(env, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"),
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function spanLimits(env: Environment) {
  const length = positiveOf(env, "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT") ??
    positiveOf(env, "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT");
  return length === undefined ? {} : { attributeValueLengthLimit: length };
}

/**
 * Registers the SDK with exporters for the signals in `settings`.
 *
 * @param warn called about wrong variables
 * @param onFailure called when something could not be sent
 */
export async function startExport(
  settings: ExportSettings,
  env: Environment,
  warn: (message: string) => void,
  onFailure: (error?: Error) => void,
): Promise<TelemetryExport> {
  const shared = resource();
  const started: { shutdown(): Promise<void> }[] = [];
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  if (settings.traces !== undefined) {
    const options = batchOptions(env);
    const waiting = new WaitingSpans(options.maxQueueSize ?? MAX_WAITING, warn);
    const exporter = waiting.count(reporting(await traceExporter(settings.traces), onFailure));
    const provider = new TracerProvider({
      resource: shared,
      sampler: samplerOf(env, warn),
      spanLimits: spanLimits(env),
      spanProcessors: [waiting, new BatchSpanProcessor({ exporter, ...options })],
    });
    trace.setGlobalTracerProvider(provider);
    propagation.setGlobalPropagator(propagatorOf(env));
    started.push(provider);
  }
  if (settings.metrics !== undefined) {
    const exporter = reporting(await metricExporter(settings.metrics), onFailure);
    const exportIntervalMillis = positiveOf(env, "OTEL_METRIC_EXPORT_INTERVAL") ?? 60_000;
    const timeout = positiveOf(env, "OTEL_METRIC_EXPORT_TIMEOUT") ?? 30_000;
    const reader = new PeriodicExportingMetricReader({
      exporter,
      exportIntervalMillis,
      exportTimeoutMillis: Math.min(timeout, exportIntervalMillis),
    });
    const provider = new MeterProvider({ resource: shared, readers: [reader] });
    metrics.setGlobalMeterProvider(provider);
    started.push(provider);
  }
  return {
    async stop() {
      await Promise.allSettled(started.map((provider) => provider.shutdown()));
    },
  };
}
