/**
 * Decodes Google's error object, which the Gemini API and its OpenAI-compatible API send.
 *
 * Source: Google Cloud, "Errors" (`google.rpc.Status` with `ErrorInfo`, `RetryInfo`, `QuotaFailure`).
 *
 * @module
 */
import { asNumber, asObject, asObjects, asText, type Json } from "../json/json.ts";
import type { ProviderError } from "./protocol.ts";

/** Whether `error` is Google's: its code is the HTTP status, and its status is a word. */
export function isGoogleError(error: Json): boolean {
  return typeof error.code === "number" && /^[A-Z_]+$/.test(asText(error.status) ?? "");
}

/** Decodes Google's error object. */
export function decodeGoogleError(error: Json): ProviderError {
  const details = asObjects(error.details);
  const reason = details.map((detail) => asText(detail.reason)).find(Boolean);
  const delay = details.map((detail) => asText(detail.retryDelay)).find(Boolean);
  const quotas = details.flatMap((detail) => asObjects(detail.violations))
    .map((violation) => asText(violation.quotaId) ?? "");
  const status = asNumber(error.code);
  return {
    message: asText(error.message),
    code: reason ?? asText(error.status),
    // Google answers 400 for an invalid key.
    status: reason === "API_KEY_INVALID" ? 401 : status,
    retryAfter: delay === undefined ? undefined : Number.parseFloat(delay),
    // Daily quotas and used-up prepaid credit are not restored soon.
    quota: status === 402 || quotas.some((id) => id.includes("PerDay")),
  };
}

/** Decodes `{"error":{"code","message","status","details"}}`, alone or in a list of one. */
export function decodeError(body: unknown): ProviderError | undefined {
  const error = asObject(asObject(Array.isArray(body) ? body[0] : body)?.error);
  return error && decodeGoogleError(error);
}
