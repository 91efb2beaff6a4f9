/**
 * Encodes jobs, datasets, results and errors as Fireworks does.
 *
 * Source: Fireworks API reference, "Create Batch Inference Job" and "Create Dataset", and captured answers.
 *
 * @module
 */
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { asObject, type Json } from "../../json/json.ts";
import type { JobPhase, JobRecord, JobState } from "./job.ts";
import type { RowOutcome } from "./results.ts";
import type { RowTotals } from "./row_answers.ts";
import { RefusedRequest } from "./stored_rows.ts";

const STATES: Record<JobPhase, string> = {
  validating: "VALIDATING",
  running: "RUNNING",
  finalizing: "WRITING_RESULTS",
  cancelling: "CANCELLING",
  completed: "COMPLETED",
  failed: "FAILED",
  expired: "EXPIRED",
  cancelled: "CANCELLED",
};

/** A job. */
export function encodeFireworksJob(job: JobRecord, state: JobState, totals: RowTotals): Json {
  const { phase, startedAt, endedAt } = state;
  const { name, displayName, model, inputDataset, outputDataset, parameters, exampleCount } =
    job.details;
  const done = totals.succeeded + totals.failed;
  const time = (milliseconds: number) => new Date(milliseconds).toISOString();
  return {
    name,
    displayName,
    createTime: time(job.createdAt),
    createdBy: "mock@example.com",
    expireTime: time(job.expiresAt),
    state: `JOB_STATE_${STATES[phase]}`,
    status: phase === "failed"
      ? { code: "INVALID_ARGUMENT", message: job.problem!.message }
      : { code: "OK", message: "" },
    model,
    inputDatasetId: inputDataset,
    outputDatasetId: outputDataset,
    inferenceParameters: parameters,
    updateTime: time(endedAt ?? startedAt ?? job.createdAt),
    ...(startedAt === undefined ? {} : {
      jobProgress: {
        percent: job.rows === 0 ? 100 : Math.floor(done / job.rows * 100),
        // Fireworks repeats what the client declared.
        totalInputRequests: exampleCount,
        totalProcessedRequests: done,
        successfullyProcessedRequests: totals.succeeded,
        failedRequests: totals.failed,
        outputRows: totals.succeeded,
        inputTokens: totals.promptTokens,
        outputTokens: totals.completionTokens,
      },
    }),
  };
}

/** A dataset as it is stored. */
export interface FireworksDataset {
  /** `accounts/ACCOUNT/datasets/ID`. */
  name: string;
  displayName: string;
  createdAt: number;
  exampleCount: number;
  /** The file that was uploaded. */
  file?: { id: string; bytes: number };
  /** The job that writes it. */
  job?: string;
  deleted?: boolean;
}

/** A dataset. */
export function encodeFireworksDataset(dataset: FireworksDataset, isReady: boolean): Json {
  const { name, displayName, createdAt, exampleCount, job } = dataset;
  const time = new Date(createdAt).toISOString();
  return {
    name,
    displayName,
    createTime: time,
    updateTime: time,
    state: isReady ? "READY" : "UPLOADING",
    status: { code: "OK", message: "" },
    exampleCount: String(exampleCount),
    format: "CHAT",
    ...(job === undefined ? { userUploaded: {} } : { sourceJobName: job }),
  };
}

/** The codes of gRPC, by HTTP status. */
const CODES: Record<number, number> = { 400: 3, 403: 7, 404: 5, 409: 6, 413: 3 };

/** Answers with an error in the form of Fireworks' gateway if the request is refused. */
export async function withGatewayErrors(
  c: Context,
  answer: () => Response | Promise<Response>,
): Promise<Response> {
  try {
    return await answer();
  } catch (error) {
    if (!(error instanceof RefusedRequest)) throw error;
    const { status, message } = error.error;
    const body = { code: CODES[status] ?? 2, message, details: [] };
    return c.json(body, status as ContentfulStatusCode);
  }
}

/** A line of a results file. */
export function encodeFireworksResult({ id, answer }: RowOutcome): Json {
  const { status, body } = answer!;
  if (status < 400) return { custom_id: id, response: body };
  const { message, type } = asObject(asObject(body)?.error) ?? {};
  return { custom_id: id, error: { code: status, type, message } };
}
