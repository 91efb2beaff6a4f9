/**
 * Encodes batches and files as the Gemini API does. Its 64-bit numbers are strings.
 *
 * Source: the types of @google/genai (`batches`, `files`), and recorded answers of the API.
 *
 * @module
 */
import type { Json } from "../../json/json.ts";
import type { JobPhase, JobRecord, JobState } from "./job.ts";

/** How long the API stores files. */
export const FILE_LIFETIME = 48 * 3600 * 1000;

const STATES: Record<JobPhase, string> = {
  validating: "BATCH_STATE_PENDING",
  running: "BATCH_STATE_RUNNING",
  finalizing: "BATCH_STATE_RUNNING",
  cancelling: "BATCH_STATE_RUNNING",
  completed: "BATCH_STATE_SUCCEEDED",
  failed: "BATCH_STATE_FAILED",
  expired: "BATCH_STATE_EXPIRED",
  cancelled: "BATCH_STATE_CANCELLED",
};

/** The codes of google.rpc.Code for batches without results. */
const ERRORS: Partial<Record<JobPhase, { code: number; message: string }>> = {
  cancelled: { code: 13, message: "The batch was cancelled." },
  expired: { code: 4, message: "The batch expired before it was done." },
  failed: { code: 3, message: "The batch failed." },
};

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** The results of a batch: a file, or the responses themselves. */
export type GeminiOutput =
  | { responsesFile: string }
  | { inlinedResponses: { inlinedResponses: Json[] } };

/** Rows of a batch, as far as they are done. */
export interface GeminiCounts {
  succeeded: number;
  failed: number;
}

/**
 * A batch, which is a long-running operation. Its results are in it twice.
 *
 * @param output `undefined` unless the batch succeeded
 */
export function encodeGeminiBatch(
  job: JobRecord,
  state: JobState,
  { succeeded, failed }: GeminiCounts,
  output?: GeminiOutput,
): Json {
  const { phase, isFinal, endedAt, startedAt } = state;
  const pending = job.rows - succeeded - failed;
  const stats: Json = { requestCount: String(job.rows) };
  // Like all of Google's APIs, it leaves out zeros.
  if (succeeded > 0) stats.successfulRequestCount = String(succeeded);
  if (failed > 0) stats.failedRequestCount = String(failed);
  if (pending > 0) stats.pendingRequestCount = String(pending);
  const name = `batches/${job.id}`;
  const type = "type.googleapis.com/google.ai.generativelanguage.v1main";
  const metadata: Json = {
    "@type": `${type}.GenerateContentBatch`,
    model: `models/${job.model}`,
    displayName: job.details.displayName,
    ...(output === undefined ? {} : { output }),
    createTime: time(job.createdAt),
    ...(endedAt === undefined ? {} : { endTime: time(endedAt) }),
    updateTime: time(endedAt ?? startedAt ?? job.createdAt),
    batchStats: stats,
    state: STATES[phase],
    name,
  };
  if (job.details.file !== undefined) metadata.inputConfig = { fileName: job.details.file };
  if (!isFinal) return { name, metadata };
  const error = job.problem === undefined
    ? ERRORS[phase]
    : { code: 3, message: job.problem.message };
  if (error !== undefined) return { name, metadata, done: true, error };
  const response = { "@type": `${type}.GenerateContentBatchOutput`, ...output };
  return { name, metadata, done: true, response };
}

/** An uploaded file, or one with results. */
export interface GeminiFile {
  /** The part of the name after `files/`. */
  id: string;
  displayName?: string;
  mimeType: string;
  /** `undefined` for results, which are made when they are read. */
  sizeBytes?: number;
  createdAt: number;
  /** Whether the API made it. */
  isOutput?: boolean;
}

/**
 * A file.
 *
 * @param base the address of the API with its version
 */
export function encodeGeminiFile(file: GeminiFile, base: string): Json {
  const { id, displayName, mimeType, sizeBytes, createdAt, isOutput = false } = file;
  return {
    name: `files/${id}`,
    ...(displayName === undefined ? {} : { displayName }),
    mimeType,
    ...(sizeBytes === undefined ? {} : { sizeBytes: String(sizeBytes) }),
    createTime: time(createdAt),
    updateTime: time(createdAt),
    expirationTime: time(createdAt + FILE_LIFETIME),
    uri: `${base}/files/${id}`,
    ...(isOutput ? { downloadUri: `${base}/files/${id}:download?alt=media` } : {}),
    state: "ACTIVE",
    source: isOutput ? "GENERATED" : "UPLOADED",
  };
}

/** The names of gRPC's codes, by HTTP status. */
const CODES: Record<number, number> = {
  400: 3,
  401: 16,
  403: 7,
  404: 5,
  409: 10,
  429: 8,
  499: 1,
  500: 13,
  501: 12,
  503: 14,
  504: 4,
};

/** The error of a row: a google.rpc.Status. */
export function encodeGeminiStatus(status: number, body: unknown): Json {
  const { message = "Internal error", details } = ((body as Json)?.error ?? {}) as Json;
  return {
    code: CODES[status] ?? (status < 500 ? 3 : 13),
    message,
    ...(details === undefined ? {} : { details }),
  };
}
