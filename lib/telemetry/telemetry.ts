/**
 * Records spans and metrics with the OpenTelemetry implementation of this process, if there is one.
 *
 * @module
 */
import type { Attributes, Context, Span, SpanOptions, Tracer } from "@opentelemetry/api";
import { VERSION } from "../version.ts";
import {
  activeContext,
  type GlobalApi,
  registeredApi,
  runIn,
  spanOf,
  withSpan,
} from "./global_api.ts";
import { Instruments } from "./instruments.ts";
import { SCHEMA_URL, SCOPE_NAME } from "./semantic_names.ts";

/** Values of `SpanKind`. */
export const KIND = { internal: 0, server: 1, client: 2 } as const;

/** A span, and the context in which its children start. */
export interface OpenSpan {
  readonly span: Span;
  readonly context: Context;
}

/** The registered implementation, with our tracer and instruments. */
export class Telemetry {
  readonly api: GlobalApi;
  readonly trace: GlobalApi["trace"];
  readonly metrics: GlobalApi["metrics"];
  readonly instruments: Instruments | undefined;
  readonly #tracer: Tracer | undefined;

  constructor(api: GlobalApi) {
    this.api = api;
    this.trace = api.trace;
    this.metrics = api.metrics;
    this.#tracer = api.trace?.getTracer(SCOPE_NAME, VERSION, { schemaUrl: SCHEMA_URL });
    const meter = api.metrics?.getMeter(SCOPE_NAME, VERSION, { schemaUrl: SCHEMA_URL });
    this.instruments = meter && new Instruments(meter);
  }

  /** Whether spans are recorded. */
  get traces(): boolean {
    return this.#tracer !== undefined;
  }

  /** The active context. */
  active(): Context {
    return activeContext(this.api);
  }

  /** Starts a span as a child of the span of `parent`; `undefined` if only metrics are recorded. */
  start(name: string, options: SpanOptions, parent: Context): OpenSpan | undefined {
    const span = this.#tracer?.startSpan(name, options, parent);
    return span && { span, context: withSpan(parent, span) };
  }

  /** Runs `work` as a part of a span. */
  run<T>(open: OpenSpan | undefined, work: () => T): T {
    return open === undefined ? work() : runIn(this.api, open.context, work);
  }

  /** Emits an event within a span: as a record of the log, or of the span if the SDK has no logs. */
  emit(eventName: string, attributes: Attributes, { span, context }: OpenSpan): void {
    const logger = this.api.logs?.getLogger(SCOPE_NAME, VERSION);
    if (logger === undefined) span.addEvent(eventName, attributes);
    // 9 is INFO.
    else logger.emit({ eventName, severityNumber: 9, attributes, context });
  }
}

let current: Telemetry | undefined;

/** What records spans and metrics; `undefined` if nothing listens. Cheap enough for every call. */
export function activeTelemetry(): Telemetry | undefined {
  const api = registeredApi();
  if (api === undefined) return undefined;
  if (current?.api === api && current.trace === api.trace && current.metrics === api.metrics) {
    return current;
  }
  return current = new Telemetry(api);
}

/** Whether something is being traced right now. */
export function hasActiveSpan(telemetry: Telemetry): boolean {
  return spanOf(telemetry.active()) !== undefined;
}
