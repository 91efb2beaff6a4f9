/**
 * Sends a batch: live, or as provider jobs, with the option to send live what is left at their deadline.
 *
 * @module
 */
import type { PartStore } from "../../lib/batch/jobs/part_store.ts";
import { PendingLines } from "../../lib/input/pending_lines.ts";
import { pendingRecords } from "../../lib/input/records.ts";
import { counted } from "../terminal/format.ts";
import { writeNote } from "../terminal/output.ts";
import { writeSentences } from "../terminal/sentences.ts";
import { type DrivenBatch, type DriveOptions, driveRuns } from "./drive.ts";
import { executorsOf, liveExecutors } from "./executors.ts";
import type { ModelBatch } from "./model_batches.ts";
import { type ModelOutcome, totalSummary } from "./model_run.ts";

/** Two runs of one model as one. */
function joined(first: ModelOutcome, second: ModelOutcome): ModelOutcome {
  const { restored, seconds } = first.summary;
  const summary = totalSummary([first.summary, { ...second.summary, restored: 0 }]);
  return {
    name: first.name,
    summary: { ...summary, restored, seconds: seconds + second.summary.seconds },
    latency: second.latency,
    failure: second.failure,
  };
}

function joinedRuns(first: DrivenBatch, second: DrivenBatch): DrivenBatch {
  const models = first.models.map((outcome, i) => joined(outcome, second.models[i]));
  return {
    summary: totalSummary(models.map(({ summary }) => summary)),
    models,
    errors: {
      failures: [...first.errors.failures, ...second.errors.failures],
      retries: [...first.errors.retries, ...second.errors.retries],
    },
    jobs: { deadlineReached: false, cancelled: false, files: [] },
  };
}

/** The records of a model that had no result in the first run, to be sent live. */
function restOf(
  { check, model, ...rest }: ModelBatch,
  seen: ReadonlySet<number>,
  schemaRetries: number | undefined,
): ModelBatch {
  const lines = new PendingLines();
  for (const line of check.lines) if (!seen.has(line.index)) lines.add(line);
  return {
    ...rest,
    model: { ...model, request: { ...model.request, schemaRetries } },
    check: { ...check, pending: lines.length, lines },
  };
}

/**
 * Sends the records of a batch; with `--then live`, what is left at the deadline of provider jobs is sent live.
 *
 * @throws {ConfigurationError} if a model has no batch API. Later errors are in the outcomes of the models.
 */
export async function driveBatch(
  { store, namesModels, ...options }: DriveOptions & { store: PartStore; namesModels: boolean },
): Promise<DrivenBatch> {
  const { batch, batches, spentBefore } = options;
  const { file, reading, flags, prepared: { mode, schemaRetries } } = batch;
  const seen = batches.map(() => new Set<number>());
  const sendsRest = mode.via === "provider" && mode.settings.afterDeadline === "live";
  const first = await driveRuns(options, {
    executors: (events) => executorsOf(batch, batches, store, { ...events, namesModels }),
    records: (i) => pendingRecords(file, reading, batches[i].check),
    onResult: sendsRest ? (i, index) => void seen[i].add(index) : undefined,
  });
  const hasFailed = first.models.some(({ failure }) => failure !== undefined);
  const { deadlineReached = false, cancelled = false } = first.jobs ?? {};
  if (!sendsRest || !deadlineReached || cancelled || hasFailed || first.summary.interrupted) {
    return first;
  }
  const rest = batches.map((modelBatch, i) => restOf(modelBatch, seen[i], schemaRetries));
  const left = rest.reduce((sum, { check }) => sum + check.pending, 0);
  if (left === 0) return first;
  writeSentences(
    "The deadline has passed: " +
      `sending the ${counted(left, "remaining record")} live, at full price.`,
    flags.quiet ? () => {} : writeNote,
  );
  const second = await driveRuns(
    { ...options, batches: rest, spentBefore: spentBefore + first.summary.cost },
    {
      executors: (events) => liveExecutors(rest, events),
      records: (i) => pendingRecords(file, reading, rest[i].check),
    },
  );
  return joinedRuns(first, second);
}
