/**
 * Encodes files and jobs as Mistral does.
 *
 * Source: the types of `@mistralai/mistralai`.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Json } from "../../json/json.ts";
import type { BatchCore, FileRecord } from "./core.ts";
import type { JobPhase, JobRecord } from "./job.ts";
import { encodeOpenaiOutcome } from "./openai_rows.ts";
import { resultFiles } from "./result_files.ts";
import { rowOutcomes } from "./results.ts";

/** The name that jobs and files are stored with. */
export const MISTRAL = "mistral";

const STATUS: Record<JobPhase, string> = {
  validating: "QUEUED",
  running: "RUNNING",
  finalizing: "RUNNING",
  cancelling: "CANCELLATION_REQUESTED",
  completed: "SUCCESS",
  failed: "FAILED",
  expired: "TIMEOUT_EXCEEDED",
  cancelled: "CANCELLED",
};

function seconds(time: number | undefined): number | null {
  return time === undefined ? null : Math.floor(time / 1000);
}

/** An id that is always the same for a name. */
function uuidOf(name: string): string {
  const hex = createHash("sha256").update(name).digest("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
}

/** A file. */
export function encodeMistralFile(
  { id, bytes, createdAt, name, purpose, results }: FileRecord,
): Json {
  const sample = results === undefined
    ? "batch_request"
    : results.kind === "output"
    ? "batch_result"
    : "batch_error";
  return {
    id,
    object: "file",
    bytes,
    created_at: seconds(createdAt),
    filename: name,
    purpose,
    sample_type: purpose === "fine-tune" ? "instruct" : sample,
    num_lines: null,
    mimetype: "application/jsonl",
    source: results === undefined ? "upload" : "mistral",
    signature: null,
    expires_at: null,
    visibility: "workspace",
    deleted: false,
  };
}

/**
 * A job.
 *
 * @param inline whether its results are in it once it has ended
 */
export async function encodeMistralJob(
  core: BatchCore,
  job: JobRecord,
  inline = false,
): Promise<Json> {
  const state = await core.state(job);
  const { details, faults } = job;
  const { output = null, error = null } = resultFiles(core, job, state, (kind) => ({
    id: uuidOf(`${job.id} ${kind}`),
    api: MISTRAL,
    owner: job.owner,
    name: `${job.id}_${kind}.jsonl`,
    purpose: "batch",
  }));
  const { succeeded, failed } = core.reportedTotals(job, state);
  const isQueued = state.phase === "validating";
  const outputs: unknown[] = [];
  if (inline && state.isFinal) {
    for await (
      const outcome of rowOutcomes(core, job, state, { succeeded: true, failed: true })
    ) outputs.push(encodeOpenaiOutcome(outcome, job));
  }
  const status = STATUS[state.phase];
  return {
    id: job.id,
    object: "batch",
    input_files: details.inputFiles,
    metadata: details.metadata ?? null,
    endpoint: details.endpoint,
    model: job.model ?? null,
    agent_id: null,
    output_file: output,
    error_file: error ?? (state.isFinal && faults.blank_error_file !== undefined ? "" : null),
    errors: state.phase === "failed" ? [{ message: job.problem?.message, count: 1 }] : [],
    outputs: inline ? outputs : null,
    status: faults.capital_status === undefined
      ? status
      : status[0] + status.slice(1).toLowerCase(),
    created_at: seconds(job.createdAt),
    started_at: seconds(state.startedAt),
    completed_at: seconds(state.endedAt),
    total_requests: isQueued ? 0 : job.rows,
    completed_requests: succeeded + failed,
    succeeded_requests: succeeded,
    failed_requests: failed,
  };
}
