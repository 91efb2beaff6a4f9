/**
 * Encodes batches and results as OpenRouter does: those of OpenAI, with the cost.
 *
 * Source: OpenRouter API reference, "Batch", and the models of its SDKs.
 *
 * @module
 */
import { asNumber, asObject, type Json } from "../../json/json.ts";
import type { JobRecord, JobState } from "./job.ts";
import type { RowOutcome } from "./results.ts";
import type { RowTotals } from "./row_answers.ts";

/** Batch prices in USD per token; the mock has the same ones for all models. */
const [INPUT_PRICE, OUTPUT_PRICE] = [0.5e-6, 2e-6];

function costOf(prompt: number, completion: number): number {
  return prompt * INPUT_PRICE + completion * OUTPUT_PRICE;
}

function seconds(milliseconds: number | undefined): number | null {
  return milliseconds === undefined ? null : Math.floor(milliseconds / 1000);
}

/**
 * A batch.
 *
 * @param results those of a completed batch
 */
export function encodeOpenrouterBatch(
  job: JobRecord,
  state: JobState,
  totals: RowTotals,
  results: Json[] | null,
): Json {
  const { phase } = state;
  const { promptTokens, completionTokens } = totals;
  return {
    id: job.id,
    object: "batch",
    endpoint: job.details.endpoint,
    model: job.model,
    provider: job.details.provider ?? null,
    status: phase === "running" ? "in_progress" : phase,
    completion_window: job.details.window,
    created_at: seconds(job.createdAt),
    in_progress_at: seconds(state.startedAt),
    finalized_at: seconds(state.endedAt),
    expires_at: seconds(job.expiresAt),
    request_counts: {
      total: job.rows,
      completed: totals.succeeded,
      failed: totals.failed,
    },
    usage: phase !== "completed" ? null : {
      input_tokens: promptTokens,
      output_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
      cost: costOf(promptTokens, completionTokens),
      is_byok: false,
    },
    results,
    error: phase === "failed" ? { code: job.problem!.code, message: job.problem!.message } : null,
  };
}

function withCost(body: unknown): unknown {
  const answer = asObject(body);
  const usage = asObject(answer?.usage);
  if (usage === undefined) return body;
  const count = (...names: string[]) => asNumber(usage[names.find((name) => name in usage)!]) ?? 0;
  const cost = costOf(
    count("prompt_tokens", "input_tokens"),
    count("completion_tokens", "output_tokens"),
  );
  return { ...answer, usage: { ...usage, cost, is_byok: false } };
}

/** The result of a row. */
export function encodeOpenrouterResult(
  { index, id, answer }: RowOutcome,
  job: JobRecord,
): Json {
  const { status, requestId, body } = answer!;
  const head = { id: `${job.id.replace(/^batch_/, "batch_req_")}_${index}`, custom_id: id };
  if (status < 400) {
    const response = { status_code: status, request_id: requestId, body: withCost(body) };
    return { ...head, response, error: null };
  }
  const { message, code } = asObject(asObject(body)?.error) ?? {};
  return { ...head, response: null, error: { code: code ?? String(status), message } };
}
