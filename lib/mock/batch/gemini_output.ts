/**
 * Makes the results of the mock's Gemini batches: a file, or responses inside of the batch.
 *
 * @module
 */
import { asObject, asText, type Json } from "../../json/json.ts";
import type { BatchCore } from "./core.ts";
import { encodeGeminiStatus } from "./gemini_objects.ts";
import type { JobRecord } from "./job.ts";
import { type RowOutcome, rowOutcomes } from "./results.ts";
import type { BatchRow } from "./row_answers.ts";

/** A row of a Gemini batch. */
export interface GeminiRow extends BatchRow {
  /** What an inline row comes back with. */
  metadata?: Json;
}

/** Reads a line: of a file, `{"key","request"}`; of an inline batch, `{"request","metadata"}`. */
export function parseGeminiRow(line: unknown, job: JobRecord): GeminiRow {
  const { key, request, metadata } = asObject(line) ?? {};
  // Some clients repeat the model inside of the request.
  const { model: _, ...body } = asObject(request) ?? {};
  const labels = asObject(metadata);
  const id = asText(key) ?? asText(labels?.key) ?? asText(Object.values(labels ?? {})[0]) ?? "";
  const path = `/v1beta/models/${job.model}:generateContent`;
  return { id, path, body, ...(labels === undefined ? {} : { metadata: labels }) };
}

const OUTPUT = "batch-";

/** The id of the file with the results of a job. */
export function outputFile({ id }: JobRecord): string {
  return OUTPUT + id;
}

/** The job that a file has the results of; `undefined` if it is no such file, or it was deleted. */
export function outputJob(core: BatchCore, owner: string, file: string): JobRecord | undefined {
  if (!file.startsWith(OUTPUT)) return undefined;
  const job = core.job(file.slice(OUTPUT.length), "gemini", owner);
  return job?.details.file === undefined || job.details.isOutputGone === true ? undefined : job;
}

/** Deletes the file with the results of a job. */
export function removeOutput(core: BatchCore, job: JobRecord): void {
  core.putJob({ ...job, details: { ...job.details, isOutputGone: true } });
}

function resultOf({ answer }: RowOutcome): Json {
  const { status, body } = answer!;
  return status < 400 ? { response: body } : { error: encodeGeminiStatus(status, body) };
}

/** The responses of a successful batch, in the order in which they were made. */
async function* outcomes(core: BatchCore, job: JobRecord): AsyncGenerator<RowOutcome> {
  yield* rowOutcomes(core, job, await core.state(job), { succeeded: true, failed: true });
}

/** The lines of the file with results. */
export async function* outputLines(core: BatchCore, job: JobRecord): AsyncGenerator<Json> {
  for await (const outcome of outcomes(core, job)) {
    yield { key: outcome.id, ...resultOf(outcome) };
  }
}

/** The results of an inline batch. */
export async function inlinedResponses(core: BatchCore, job: JobRecord): Promise<Json[]> {
  const responses: Json[] = [];
  for await (const outcome of outcomes(core, job)) {
    const { id, metadata } = outcome.answer!.row as GeminiRow;
    const labels = metadata && Object.fromEntries(
      Object.entries(metadata).map(([name, value]) => [name, value === id ? outcome.id : value]),
    );
    responses.push({ ...resultOf(outcome), ...(labels === undefined ? {} : { metadata: labels }) });
  }
  return responses;
}
