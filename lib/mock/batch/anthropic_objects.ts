/**
 * Encodes message batches and their results as Anthropic's Message Batches API does.
 *
 * Source: the types of @anthropic-ai/sdk (`messages.batches`), and recorded answers of the API.
 *
 * @module
 */
import type { Json } from "../../json/json.ts";
import type { JobRecord, JobState } from "./job.ts";

/** The rows of a batch that has ended, by their result. */
export interface MessageCounts {
  succeeded: number;
  errored: number;
  canceled: number;
  expired: number;
}

const NO_COUNTS: MessageCounts = { succeeded: 0, errored: 0, canceled: 0, expired: 0 };

function time(milliseconds: number | undefined): string | null {
  return milliseconds === undefined ? null : new Date(milliseconds).toISOString();
}

/**
 * A message batch. Its counts are only known once all of it has ended.
 *
 * @param counts `undefined` until the batch has ended
 * @param url the address of the batch, absolute
 */
export function encodeMessageBatch(
  job: JobRecord,
  state: JobState,
  counts: MessageCounts | undefined,
  url: string,
): Json {
  const { isFinal, phase } = state;
  return {
    id: job.id,
    type: "message_batch",
    processing_status: isFinal ? "ended" : phase === "cancelling" ? "canceling" : "in_progress",
    request_counts: { processing: isFinal ? 0 : job.rows, ...(isFinal ? counts : NO_COUNTS) },
    ended_at: time(state.endedAt),
    created_at: time(job.createdAt),
    expires_at: time(job.expiresAt),
    archived_at: null,
    cancel_initiated_at: time(job.cancelledAt),
    results_url: isFinal ? `${url}/results` : null,
  };
}

/** What became of one row: an answer of the Messages API, or why there is none. */
export type MessageOutcome =
  | { status: number; body: unknown }
  | { reason: "canceled" | "expired" };

/** One line of the results. */
export function encodeMessageResult(id: string, outcome: MessageOutcome): Json {
  if ("reason" in outcome) return { custom_id: id, result: { type: outcome.reason } };
  const { status, body } = outcome;
  return {
    custom_id: id,
    result: status === 200
      ? { type: "succeeded", message: body }
      : { type: "errored", error: body },
  };
}

/** What a row of a batch is allowed to be called. */
const CUSTOM_ID = /^[a-zA-Z0-9_-]{1,64}$/;

/**
 * What is wrong with a row, in the wording of the API; `undefined` if it is accepted. Its parameters are only
 * checked when it runs.
 *
 * @param ids the ids of the rows before
 */
export function messageRowProblem(
  row: unknown,
  index: number,
  ids: ReadonlySet<string>,
): string | undefined {
  const field = `requests.${index}`;
  if (typeof row !== "object" || row === null || Array.isArray(row)) {
    return `${field}: Input should be an object`;
  }
  const { custom_id: id, params, ...others } = row as Json;
  if (id === undefined) return `${field}.custom_id: Field required`;
  if (typeof id !== "string") return `${field}.custom_id: Input should be a valid string`;
  if (!CUSTOM_ID.test(id)) {
    return `${field}.custom_id: String should match pattern '${CUSTOM_ID.source}'`;
  }
  if (params === undefined) return `${field}.params: Field required`;
  if (typeof params !== "object" || params === null || Array.isArray(params)) {
    return `${field}.params: Input should be an object`;
  }
  const [extra] = Object.keys(others);
  if (extra !== undefined) return `${field}.${extra}: Extra inputs are not permitted`;
  if (ids.has(id)) return `${field}.custom_id: custom_id '${id}' is not unique in this batch`;
}
