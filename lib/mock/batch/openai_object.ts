/**
 * Encodes batches and files as OpenAI, Azure and Groq do.
 *
 * Sources: OpenAI API reference, "Batch" and "Files"; Azure OpenAI, "Batch REST API"; the types of groq-sdk.
 *
 * @module
 */
import { asText, type Json } from "../../json/json.ts";
import type { BatchCore, FileRecord } from "./core.ts";
import type { JobPhase, JobRecord, JobState } from "./job.ts";
import { resultFiles } from "./result_files.ts";

const STATUS: Record<JobPhase, string> = {
  validating: "validating",
  running: "in_progress",
  finalizing: "finalizing",
  cancelling: "cancelling",
  completed: "completed",
  failed: "failed",
  expired: "expired",
  cancelled: "cancelled",
};

function seconds(time: number | undefined): number | null {
  return time === undefined ? null : Math.floor(time / 1000);
}

/** Encodes a file. */
export function encodeFile({ id, bytes, createdAt, expiresAt, name, purpose }: FileRecord): Json {
  return {
    id,
    object: "file",
    bytes,
    created_at: seconds(createdAt),
    ...expiresAt === undefined ? {} : { expires_at: seconds(expiresAt) },
    filename: name,
    purpose,
    status: "processed",
    status_details: null,
  };
}

function encodeErrors({ problem }: JobRecord, vendor: unknown): unknown {
  if (problem === undefined) return null;
  const { code, message, line = null, param = null } = problem;
  const data = [{ code, message, param, line }];
  return vendor === "groq" ? data : { object: "list", data };
}

/** Encodes a batch. Creates its files once it has ended. */
export async function encodeBatch(core: BatchCore, job: JobRecord): Promise<Json> {
  const state = await core.state(job);
  const { details, faults } = job;
  const { vendor } = details;
  // Azure has an error file for every batch that ended.
  const shown = vendor === "azure" ? { ...job, faults: { ...faults, empty_error_file: 1 } } : job;
  const suffix = job.id.replace(/^batch_/, "");
  const { output = null, error = null } = resultFiles(core, shown, state, (kind) => ({
    id: `file-${kind === "output" ? "o" : "e"}${suffix}`,
    api: job.api,
    owner: job.owner,
    name: `${job.id}_${kind}.jsonl`,
    purpose: "batch_output",
    expiresAt: asExpiry(details.outputExpiresAfter, state),
  }));
  const status = STATUS[state.phase];
  const isCapital = faults.capital_status !== undefined;
  return {
    id: job.id,
    object: "batch",
    endpoint: details.endpoint,
    model: job.model ?? null,
    errors: state.phase === "failed" ? encodeErrors(job, vendor) : null,
    input_file_id: details.inputFile,
    completion_window: details.window,
    status: isCapital ? status[0].toUpperCase() + status.slice(1) : status,
    output_file_id: output,
    error_file_id: error ?? (state.isFinal && faults.blank_error_file !== undefined ? "" : null),
    created_at: seconds(job.createdAt),
    in_progress_at: seconds(state.startedAt),
    expires_at: seconds(job.expiresAt),
    finalizing_at: seconds(state.finalizingAt),
    completed_at: state.phase === "completed" ? seconds(state.endedAt) : null,
    failed_at: state.phase === "failed" ? seconds(state.endedAt) : null,
    expired_at: state.phase === "expired" ? seconds(state.endedAt) : null,
    cancelling_at: seconds(state.cancellingAt),
    cancelled_at: state.phase === "cancelled" ? seconds(state.endedAt) : null,
    request_counts: encodeCounts(core, job, state),
    usage: encodeUsage(core, job, state),
    metadata: details.metadata ?? null,
  };
}

function asExpiry(after: unknown, { endedAt }: JobState): number | undefined {
  return typeof after === "number" && endedAt !== undefined ? endedAt + after * 1000 : undefined;
}

function encodeCounts(core: BatchCore, job: JobRecord, state: JobState): unknown {
  const isEarly = state.phase === "validating" || state.phase === "failed";
  if (isEarly && job.details.vendor === "azure") {
    return { total: null, completed: null, failed: null };
  }
  const { succeeded, failed } = core.reportedTotals(job, state);
  return { total: isEarly ? 0 : job.rows, completed: succeeded, failed };
}

/** All zero until the batch has ended. */
function encodeUsage(core: BatchCore, job: JobRecord, state: JobState): Json {
  const totals = core.totals(job, state);
  const [input, output] = state.isFinal ? [totals.promptTokens, totals.completionTokens] : [0, 0];
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + output,
  };
}

/** Pages of a list, newest first, as OpenAI has them: `after` is the last id of the previous page. */
export function pageOf<T extends { id: string }>(
  all: readonly T[],
  after: string | undefined,
  limit: number,
): { page: T[]; hasMore: boolean } {
  const start = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
  const page = all.slice(start, start + limit);
  return { page, hasMore: start + limit < all.length };
}

/** A whole number within limits in a query. */
export function limitIn(value: string | undefined, usual: number, max: number): number | undefined {
  if (value === undefined) return usual;
  const limit = Number(asText(value));
  return Number.isInteger(limit) && limit >= 1 && limit <= max ? limit : undefined;
}
