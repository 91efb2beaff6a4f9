/**
 * OpenAI's list of models and its response headers.
 *
 * Source: OpenAI API reference, "Models", and OpenAI's guide "Rate limits".
 *
 * @module
 */
import type { RequestLimit } from "./protocol.ts";

/** One model. */
export function openaiModel(id: string) {
  return { id, object: "model", created: 1700000000, owned_by: "flexllm" };
}

/** The list of models. */
export function openaiModels(models: readonly string[]) {
  return { object: "list", data: models.map(openaiModel) };
}

/** The request id and the rate-limit headers; `reset` is a duration as Go writes it. */
export function openaiHeaders(
  requests: number,
  limit: RequestLimit | undefined,
): Record<string, string> {
  const headers: Record<string, string> = { "x-request-id": `req_mock_${requests}` };
  if (limit === undefined) return headers;
  headers["x-ratelimit-limit-requests"] = String(limit.limit);
  headers["x-ratelimit-remaining-requests"] = String(limit.remaining);
  headers["x-ratelimit-reset-requests"] = `${Math.ceil(limit.reset * 1000)}ms`;
  return headers;
}
