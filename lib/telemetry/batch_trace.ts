/**
 * Traces one run of a batch.
 *
 * Within a span of the application, the calls of a batch are descendants of that span. Otherwise each call is a trace
 * of its own with a link to the batch: no viewer shows a trace of 100,000 spans, and samplers decide per trace.
 *
 * @module
 */
import type { Context, Link } from "@opentelemetry/api";
import { errorStatus } from "./error_status.ts";
import { NAME } from "./semantic_names.ts";
import {
  activeTelemetry,
  hasActiveSpan,
  KIND,
  type OpenSpan,
  type Telemetry,
} from "./telemetry.ts";

/** The key under which a context holds the link to its batch. */
const BATCH = Symbol("flexllm batch");

/** The counts of a run. */
export interface BatchCounts {
  succeeded: number;
  failed: number;
  restored: number;
  /** USD, as far as it is known. */
  cost: number;
  /** Answers whose cost is unknown. */
  unpriced: number;
  interrupted: boolean;
}

/** The span of one run of a batch. */
export class BatchTrace {
  /** The context of its calls. */
  readonly context: Context;
  readonly #telemetry: Telemetry;
  readonly #open: OpenSpan | undefined;

  private constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry;
    const parent = telemetry.active();
    const isRoot = !hasActiveSpan(telemetry);
    const open = this.#open = telemetry.start("batch", { kind: KIND.internal }, parent);
    if (open === undefined) this.context = parent;
    else if (!isRoot) this.context = open.context;
    else this.context = parent.setValue(BATCH, { context: open.span.spanContext() } satisfies Link);
  }

  /** Starts the span of a run; `undefined` if nothing listens. */
  static start(): BatchTrace | undefined {
    const telemetry = activeTelemetry();
    return telemetry && new BatchTrace(telemetry);
  }

  /** Counts finished records. */
  count(status: "succeeded" | "failed", records: number): void {
    if (records === 0) return;
    this.#telemetry.instruments?.record("records", records, { [NAME.recordStatus]: status });
  }

  /** Ends the span. */
  end(counts: BatchCounts, errorCode?: string): void {
    if (this.#open === undefined) return;
    const { span } = this.#open;
    const { succeeded, failed, restored, cost, unpriced, interrupted } = counts;
    span.setAttributes({
      [NAME.recordsSucceeded]: succeeded,
      [NAME.recordsFailed]: failed,
      [NAME.recordsRestored]: restored,
      [NAME.interrupted]: interrupted,
    });
    if (cost > 0 || unpriced === 0) span.setAttribute(NAME.cost, cost);
    if (errorCode !== undefined) {
      span.setAttribute(NAME.errorType, errorCode).setStatus(errorStatus(this.#telemetry.api));
    }
    span.end();
  }
}

/** The options of the span of a call that make it a part of the batch of its context, if it has one. */
export function batchOf(context: Context): { root: true; links: Link[] } | undefined {
  const link = context.getValue(BATCH) as Link | undefined;
  return link && { root: true, links: [link] };
}
