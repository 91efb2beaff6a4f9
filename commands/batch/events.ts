/**
 * Records the progress of a batch over time in the events file next to its result file.
 *
 * @module
 */
import { BatchEvents, type RunEnding } from "../../lib/batch/events/batch_events.ts";
import type { RunLine } from "../../lib/batch/events/event_lines.ts";
import type { SampledBatch } from "../../lib/batch/events/sampler.ts";
import type { BatchSummary } from "../../lib/batch/summary.ts";
import { samplingToFields } from "../../lib/chat/sampling_fields.ts";
import { pipelineOf } from "../../lib/client/client.ts";
import { DEFAULTS } from "../../lib/client/defaults.ts";
import { BudgetExceededError } from "../../lib/errors.ts";
import type { WorkerStatus } from "../../lib/fleet/fleet_status.ts";
import type { InputCheck } from "../../lib/input/check_input.ts";
import { systemClock } from "../../lib/runtime/clock.ts";
import { runtimeName } from "../../lib/runtime/runtime.ts";
import { VERSION } from "../../lib/version.ts";
import type { BatchToSend } from "./context.ts";
import type { ModelOutcome, ModelRuns } from "./model_run.ts";
import { ONCE, resumeCommand } from "./report.ts";
import type { PreparedBatch } from "./settings.ts";

/** Maximum characters of a command: one that names thousands of files is left out. */
const MAX_COMMAND = 8000;
/** Maximum models and endpoints that are listed. */
const MAX_LISTED = 100;

/** The numbers of results in a result file. */
type ResultCounts = Readonly<Record<"successes" | "errors", number>>;

function hasResults({ successes, errors }: ResultCounts): boolean {
  return successes + errors > 0;
}

type Settings = RunLine["settings"];

/** The values that are not `undefined`, in a form that can be shown. */
function shown(values: Record<string, unknown>): Settings {
  const settings: Settings = {};
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === null) continue;
    const isPlain = ["string", "number", "boolean"].includes(typeof value);
    settings[name] = isPlain ? value as string | number | boolean : JSON.stringify(value);
  }
  return settings;
}

/** The sampling options that all models have in common, by their names in a configuration file. */
function samplingSettings(models: PreparedBatch["models"]): Settings {
  const [first, ...others] = models.map(({ request }) => shown({ ...samplingToFields(request) }));
  const common = Object.entries(first)
    .filter(([name, value]) => others.every((other) => other[name] === value));
  return Object.fromEntries(common);
}

function settingsOf({ models, requests, mode, cache, schemaRetries }: PreparedBatch): Settings {
  const { concurrencyLimit, maxQps, maxTpm, maxInFlight, adaptive } = requests;
  return {
    ...shown({
      via: mode.via,
      concurrency: concurrencyLimit ?? DEFAULTS.concurrency,
      max_qps: maxQps,
      max_tpm: maxTpm,
      max_in_flight: maxInFlight,
      adaptive,
      max_wait: requests.maxWait ?? DEFAULTS.maxWait,
      timeout: requests.timeout ?? DEFAULTS.timeout,
      retry_times: requests.retryTimes ?? DEFAULTS.retryTimes,
      retry_delay: requests.retryDelay ?? DEFAULTS.retryDelay,
      cache: cache !== undefined && cache !== false,
      schema_retries: schemaRetries,
    }),
    ...samplingSettings(models),
  };
}

/** A base URL in a command: its start, credentials, path and query. */
const BASE_URL = /(--base-url[ =]'?\w+:\/\/)([^\s'/?#]*@)?([^\s'?#]*)(\?[^\s'#]*)?/g;

/** A command without what may be a secret in its base URL. Other URLs may be part of a prompt. */
function withoutUrlSecrets(command: string): string {
  return command.replace(
    BASE_URL,
    (_, start: string, user: string | undefined, path: string, query: string | undefined) =>
      `${start}${user === undefined ? "" : "…@"}${path}${query === undefined ? "" : "?…"}`,
  );
}

function runLine(
  { file, prepared }: BatchToSend,
  { total, pending }: Pick<InputCheck, "total" | "pending">,
  spentBefore: number,
): Omit<RunLine, "type" | "at"> {
  const { models, costTracker: { limit } } = prepared;
  const sendsNothing = prepared.fleet?.settings.workersOnly === true;
  const endpoints = models.flatMap(({ client }) => client.stats.map(({ endpoint }) => endpoint));
  const resume = resumeCommand(file.name === "standard input", { without: ONCE });
  const command = withoutUrlSecrets(resume);
  return {
    version: VERSION,
    runtime: runtimeName(),
    command: command.length > MAX_COMMAND ? undefined : command,
    models: models.map(({ name, model }) => name ?? model).slice(0, MAX_LISTED),
    endpoints: sendsNothing ? [] : [...new Set(endpoints)].slice(0, MAX_LISTED),
    records: total,
    restored: total - pending,
    concurrency: models.reduce((sum, { client }) => sum + client.concurrencyLimit, 0),
    ...limit === undefined ? {} : { budget: limit, spent_before: spentBefore },
    settings: settingsOf(prepared),
  };
}

/**
 * Prepares the events file; `undefined` if the user wants none. Nothing is written before something happens.
 *
 * @param warn called if the file cannot be written
 */
export function openEvents(
  batch: BatchToSend,
  check: Pick<InputCheck, "total" | "pending">,
  spentBefore: number,
  journal: ResultCounts,
  warn: (text: string) => void,
): BatchEvents | undefined {
  if (!batch.prepared.recordsEvents) return undefined;
  const run = runLine(batch, check, spentBefore);
  return new BatchEvents(batch.output, run, !hasResults(journal), (reason) => {
    warn(
      `cannot write ${batch.output}.events: ${reason}. The batch continues, but reports will not show its ` +
        "progress over time. Use --no-events to leave the file out.",
    );
  });
}

/**
 * What is sampled while the models of a batch run.
 *
 * @param workers the workers of a fleet, if there is one
 */
export function sampledBatch(
  { prepared: { models, fleet } }: Pick<BatchToSend, "prepared">,
  runs: Pick<ModelRuns, "summary">,
  workers?: () => readonly Pick<WorkerStatus, "inFlight" | "isEmbedded">[],
): SampledBatch {
  const pipelines = models.map(({ client }) => pipelineOf(client));
  const isSending = fleet?.settings.workersOnly !== true;
  const endpoints = isSending ? pipelines.flatMap((pipeline) => pipeline.endpoints) : [];
  return {
    summary: () => runs.summary(),
    inFlight() {
      // What this process reports of itself as a worker is some seconds old.
      const others = workers?.().filter(({ isEmbedded }) => !isEmbedded) ?? [];
      return [...endpoints.map(({ limits }) => limits), ...others]
        .reduce((sum, { inFlight }) => sum + inFlight, 0);
    },
    waiting: () => pipelines.reduce((sum, { waiting }) => sum + waiting, 0),
    endpoints() {
      const now = systemClock.now();
      return endpoints.map(({ name, limits }) => {
        return { name, state: limits.state(now), rateLimited: limits.rateLimited };
      });
    },
  };
}

/** What is needed of a batch that has ended. */
interface EndedBatch {
  summary: BatchSummary;
  models: readonly Pick<ModelOutcome, "failure">[];
  jobs?: { cancelled: boolean };
}

/** How the run of a batch ended, of which `driven` is absent if it could not start. */
export function runEnding(
  driven: EndedBatch | undefined,
  failure: unknown,
  journal: ResultCounts,
): RunEnding {
  const { succeeded = 0, failed = 0, seconds = 0, interrupted = false } = driven?.summary ?? {};
  const isStopped = interrupted || driven?.jobs?.cancelled === true;
  return {
    outcome: failure !== undefined ? "failed" : isStopped ? "stopped" : "done",
    succeeded,
    failed,
    duration: Math.round(seconds * 1000) / 1000,
    isOverBudget: driven?.models.some(({ failure }) => failure instanceof BudgetExceededError) ??
      false,
    hasResults: hasResults(journal),
  };
}
