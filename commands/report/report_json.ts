/**
 * Formats the data of a report as JSON.
 *
 * @module
 */
import { amountsJson } from "../../lib/results/amounts_json.ts";
import type { LogHistogram } from "../../lib/results/log_histogram.ts";
import type { ReportData, ReportRun } from "../../lib/report/collect.ts";
import type { Excerpt } from "../../lib/report/excerpts.ts";
import type { SeriesStats } from "../../lib/report/series_stats.ts";
import type { TimeBins } from "../../lib/report/time_bins.ts";

function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Number(value.toPrecision(4));
}

function distribution(values: LogHistogram) {
  if (values.count === 0) return null;
  const share = (share: number) => rounded(values.percentile(share));
  return {
    count: values.count,
    p50: share(0.5),
    p90: share(0.9),
    p95: share(0.95),
    p99: share(0.99),
    "p99.9": share(0.999),
    max: rounded(values.max),
  };
}

/** Periods, each with the values that are not zero. */
function overTime(time: TimeBins) {
  const { channels } = time;
  return {
    seconds: time.width / 1000,
    periods: time.list().map(({ at, values }) => ({
      at: new Date(at).toISOString(),
      ...Object.fromEntries(
        values.flatMap((value, i) => value === 0 ? [] : [[channels[i], rounded(value)]]),
      ),
    })),
  };
}

function excerptJson({ latency, promptTokens, completionTokens, cost, ...excerpt }: Excerpt) {
  return {
    series: excerpt.series,
    index: excerpt.index,
    status: excerpt.succeeded ? "success" : "error",
    model: excerpt.model,
    latency,
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    cost,
    finish_reason: excerpt.finishReason,
    error_code: excerpt.errorCode,
    cached: excerpt.cached,
    input: excerpt.input,
    output: excerpt.output,
    error: excerpt.error,
  };
}

function seriesJson(series: SeriesStats, redact: (text: string) => string) {
  const { summary, name, run } = series;
  return {
    name,
    run,
    total: summary.total,
    succeeded: summary.succeeded,
    failed: summary.failed,
    cached: summary.cached,
    retries: series.retries,
    errors: summary.errors,
    finish_reasons: summary.finishReasons,
    ...amountsJson(summary),
    latency: distribution(summary.latency),
    cached_latency: distribution(series.cachedLatency),
    first_token: distribution(series.firstToken),
    time_per_token: distribution(series.tokenTime),
    queued: distribution(series.queued),
    input_tokens: distribution(series.promptTokens),
    output_tokens: distribution(series.completionTokens),
    attempts: Object.fromEntries(Object.entries(series.attempts)),
    schema_misses: Object.fromEntries(series.schemaMisses),
    by_model: summary.models.map((model) => ({
      model: model.model,
      answers: model.answers,
      prompt_tokens: model.promptTokens,
      completion_tokens: model.completionTokens,
      cost: model.unpriced === model.answers ? null : model.cost,
    })),
    by_endpoint: series.endpoints.map((endpoint) => ({
      endpoint: endpoint.endpoint,
      succeeded: endpoint.succeeded,
      failed: endpoint.failed,
      prompt_tokens: endpoint.promptTokens,
      completion_tokens: endpoint.completionTokens,
      cost: endpoint.cost === 0 && endpoint.unpriced > 0 ? null : endpoint.cost,
      latency: distribution(endpoint.latency),
    })),
    failures: series.failures.list().map(({ code, model, message, ...group }) => ({
      requested_model: model,
      error_code: code,
      message: message === undefined ? null : redact(message),
      ...group,
    })),
    over_time: overTime(series.time),
  };
}

function runJson({ files, events, time }: ReportRun) {
  return {
    files,
    start: time.start === undefined ? null : new Date(time.start).toISOString(),
    end: time.end === undefined ? null : new Date(time.end).toISOString(),
    active_seconds: time.seconds,
    events: events === undefined ? null : {
      runs: events.runs,
      marks: events.marks,
      over_time: overTime(events.time),
    },
  };
}

/** The data as JSON. */
export function reportJson(data: ReportData, redact: (text: string) => string) {
  const { damaged, replaced, unfinished } = data.skipped;
  return {
    runs: data.runs.map(runJson),
    series: data.series.map((series) => seriesJson(series, redact)),
    slowest: data.excerpts.slowest.map(excerptJson),
    most_expensive: data.excerpts.mostExpensive.map(excerptJson),
    sample: data.excerpts.sample.map(excerptJson),
    damaged,
    replaced,
    unfinished: unfinished.length > 0,
  };
}
