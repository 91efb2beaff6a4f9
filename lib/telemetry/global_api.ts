/**
 * Finds the OpenTelemetry implementation of this process: that of the application, of Deno (`OTEL_DENO=true`) or of
 * the command line. The API package is not needed for that, and if nothing listens, nothing is loaded.
 *
 * Source: `@opentelemetry/api`, which registers its implementations under this symbol.
 *
 * @module
 */
import type {
  Context,
  ContextManager,
  MeterProvider,
  Span,
  TextMapPropagator,
  TracerProvider,
} from "@opentelemetry/api";

const API = Symbol.for("opentelemetry.js.api.1");

/** The key under which a context holds its span. */
const SPAN = Symbol.for("OpenTelemetry Context Key SPAN");

/** An event of a trace, as a record of a log. */
export interface EventRecord {
  eventName: string;
  severityNumber: number;
  attributes: Record<string, unknown>;
  context: Context;
}

/** What is registered. */
export interface GlobalApi {
  trace?: TracerProvider;
  metrics?: MeterProvider;
  context?: ContextManager;
  propagation?: TextMapPropagator;
  diag?: { warn(message: string): void };
  logs?: {
    getLogger(name: string, version: string): { emit(record: EventRecord): void };
  };
}

/** The registered implementation; `undefined` if nothing listens. */
export function registeredApi(): GlobalApi | undefined {
  const api = (globalThis as { [API]?: GlobalApi })[API];
  if (api === undefined || (api.trace === undefined && api.metrics === undefined)) return undefined;
  return api;
}

/** A context for applications that don't register a context manager. */
class PlainContext implements Context {
  readonly #values: ReadonlyMap<symbol, unknown>;

  constructor(values: ReadonlyMap<symbol, unknown>) {
    this.#values = values;
  }

  getValue(key: symbol): unknown {
    return this.#values.get(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return new PlainContext(new Map(this.#values).set(key, value));
  }

  deleteValue(key: symbol): Context {
    const values = new Map(this.#values);
    values.delete(key);
    return new PlainContext(values);
  }
}

const ROOT: Context = new PlainContext(new Map());

/** The active context: what starts now is a child of its span. */
export function activeContext(api: GlobalApi): Context {
  return api.context?.active() ?? ROOT;
}

/** Runs `work` in `context`. */
export function runIn<T>(api: GlobalApi, context: Context, work: () => T): T {
  return api.context === undefined ? work() : api.context.with(context, work);
}

/** The span of a context. */
export function spanOf(context: Context): Span | undefined {
  return context.getValue(SPAN) as Span | undefined;
}

/** `context` with `span` as its span. */
export function withSpan(context: Context, span: Span): Context {
  return context.setValue(SPAN, span);
}
