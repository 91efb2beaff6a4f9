/**
 * Decodes error bodies of OpenAI's API and of the many variants that compatible services send.
 *
 * Sources: OpenAI API reference, "Error codes"; OpenRouter, "Errors" (`metadata`); Groq, "Structured
 * Outputs" and "Tool Use" (`failed_generation`); MiniMax, "Error Codes" (`base_resp`); Novita, "API Error
 * Codes" (`reason`); recorded answers of vLLM, llama.cpp and FastAPI.
 *
 * @module
 */
import { asObject, asObjects, asText, type Json } from "../json/json.ts";
import { errorKind } from "./error_codes.ts";
import { decodeGoogleError, isGoogleError } from "./google_error.ts";
import type { ProviderError } from "./protocol.ts";

/** A code as text, also if it is a number. */
function codeOf(value: unknown): string | undefined {
  return typeof value === "number" ? String(value) : asText(value);
}

function statusOf(value: unknown): number | undefined {
  const status = Number(value);
  return status >= 400 && status <= 599 ? status : undefined;
}

/** The message: text, or FastAPI's list of invalid fields. */
function messageOf(value: unknown): string | undefined {
  if (typeof value === "string") return asText(value);
  const problems = asObjects(Array.isArray(value) ? value : asObject(value)?.detail);
  const lines = problems.map(({ loc, msg }) => {
    const place = Array.isArray(loc) ? loc.filter((part) => part !== "body").join(".") : "";
    return place ? `${place}: ${asText(msg)}` : asText(msg);
  });
  return asText(lines.join("; "));
}

/** The error of the upstream provider, which OpenRouter forwards as text. */
function upstreamError(raw: unknown): ProviderError | undefined {
  const text = asText(raw);
  if (text === undefined) return asObject(raw) && decodeError(raw);
  try {
    return decodeError(JSON.parse(text)) ?? { message: text };
  } catch {
    return { message: text };
  }
}

function withMetadata(decoded: ProviderError, metadata: Json): ProviderError {
  const upstream = upstreamError(metadata.raw);
  // Errors about moderated input list the flagged categories.
  const reasons = Array.isArray(metadata.reasons) ? metadata.reasons.join(", ") : "";
  const said = upstream?.message ?? (reasons && `flagged for ${reasons}`);
  const provider = asText(metadata.provider_name);
  const message = (decoded.message ?? "") + (provider ? ` (${provider})` : "") +
    (said ? `: ${said}` : "");
  // The account at that provider is OpenRouter's: its limits and quotas don't apply to the caller.
  const isBlocked = errorKind({ status: 400, ...upstream }) === "blocked";
  return {
    ...decoded,
    message,
    type: reasons || isBlocked ? "content_policy_violation" : decoded.type,
  };
}

function decodeErrorObject(error: Json): ProviderError {
  if (isGoogleError(error)) return decodeGoogleError(error);
  const status = statusOf(error.code) ?? statusOf(error.status) ?? statusOf(error.http_code);
  const inner = asObject(error.innererror) ??
    asObject(asObject(error.provider_specific_fields)?.innererror);
  const code = statusOf(error.code) === undefined ? codeOf(error.code) : undefined;
  const decoded: ProviderError = {
    message: messageOf(error.message),
    code: code ?? codeOf(inner?.code) ?? codeOf(error.reason) ?? asText(error.type) ??
      asText(error.code),
    type: asText(error.type),
    status,
    failedGeneration: typeof error.failed_generation === "string"
      ? error.failed_generation
      : undefined,
  };
  const metadata = asObject(error.metadata);
  return metadata === undefined ? decoded : withMetadata(decoded, metadata);
}

/** Maps MiniMax's numbers to codes that {@link errorKind} knows. */
const MINIMAX_TYPES: Record<number, string> = {
  1002: "rate_limit_error",
  1004: "authentication_error",
  1008: "insufficient_balance",
  1026: "input_sensitive",
  1027: "output_sensitive",
  1039: "rate_limit_error",
  1041: "concurrency_limit_exceeded",
  2045: "rate_limit_error",
  2049: "authentication_error",
  2056: "insufficient_balance",
};

function decodeBaseResponse({ status_code, status_msg }: Json): ProviderError | undefined {
  const code = Number(status_code);
  if (!(code > 0)) return undefined;
  // Unknown, timeout, internal: the request may succeed later.
  const isInternal = code < 1002 || code === 1013 || code === 1024 || code === 1033;
  return {
    message: asText(status_msg),
    code: String(code),
    type: MINIMAX_TYPES[code],
    status: isInternal ? 500 : undefined,
  };
}

/** Whether `body` has a field of an answer or a list of models; without any, it may itself be an error. */
function isAnswer({ choices, output, content, data }: Json): boolean {
  return (choices ?? output ?? content ?? data ?? null) !== null;
}

function decodePlain(answer: Json): ProviderError | undefined {
  if (isAnswer(answer)) return undefined;
  // SiliconFlow, Novita, AWS, Azure's API Management; Baidu's older APIs.
  const message = messageOf(answer.message) ?? asText(answer.Message) ?? asText(answer.error_msg) ??
    messageOf(answer.detail);
  if (message === undefined) return undefined;
  const code = answer.code ?? answer.error_code ?? answer.statusCode;
  return {
    message,
    code: asText(answer.reason) ?? (statusOf(code) === undefined ? codeOf(code) : undefined) ??
      asText(answer.type),
    type: asText(answer.type),
    status: statusOf(code),
  };
}

/** Decodes the error in a parsed body or stream event; `undefined` if there is none. */
export function decodeError(body: unknown): ProviderError | undefined {
  // Gemini's OpenAI-compatible API answers with a list of one.
  const answer = asObject(Array.isArray(body) ? body[0] : body);
  if (answer === undefined) return undefined;
  // xAI puts the code next to the text.
  const text = asText(answer.error);
  if (text !== undefined) {
    const status = statusOf(answer.code);
    return { message: text, code: status === undefined ? codeOf(answer.code) : undefined, status };
  }
  const error = asObject(answer.error);
  if (error !== undefined) return decodeErrorObject(error);
  if (answer.object === "error") return decodeErrorObject(answer);
  const base = asObject(answer.base_resp);
  return (base && decodeBaseResponse(base)) ?? decodePlain(answer);
}
