/**
 * The server side of Google's Gemini API.
 *
 * @module
 */
import { asObject } from "../../json/json.ts";
import { JSON_ARRAY } from "../event_framing.ts";
import type { ProtocolServer } from "../serve.ts";
import { normalizeRequest } from "./normalize_request.ts";
import { encodeError } from "./serve_error.ts";
import { encodeModel, encodeModels } from "./serve_models.ts";
import { decodeRequest } from "./serve_request.ts";
import { encodeResponse } from "./serve_result.ts";
import { GeminiStreamEncoder } from "./serve_stream.ts";
import { validate } from "./validate.ts";

const OWN_PATH =
  /^\/v1beta(\/|$)|:(generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents)$/;

/** Serves the Gemini API. */
export const geminiServer: ProtocolServer = {
  prefixes: ["", "/v1", "/v1beta"],
  routes: [
    { path: "/models/{model}:generateContent", operation: "chat", stream: false },
    { path: "/models/{model}:streamGenerateContent", operation: "chat", stream: true },
    { path: "/models/{model}:countTokens", operation: "count_tokens" },
  ],
  claims(request) {
    const { pathname, searchParams } = new URL(request.url);
    return OWN_PATH.test(pathname) || request.headers.has("x-goog-api-key") ||
      searchParams.has("key");
  },
  context(request) {
    const isSse = new URL(request.url).searchParams.get("alt") === "sse";
    return isSse ? {} : { framing: JSON_ARRAY };
  },
  normalize(body, { operation }) {
    const normalized = normalizeRequest(body);
    // A count may contain the whole request that it is for.
    return operation === "count_tokens"
      ? asObject(normalized.generateContentRequest) ?? normalized
      : normalized;
  },
  validate,
  decodeRequest,
  encodeResponse,
  streamEncoder: (head) => new GeminiStreamEncoder(head),
  answersWithImages: true,
  encodeTokenCount: (totalTokens) => ({
    totalTokens,
    promptTokensDetails: [{ modality: "TEXT", tokenCount: totalTokens }],
  }),
  encodeError,
  overloadedStatus: 503,
  encodeModels,
  encodeModel,
  toolCallPrefix: "call-",
  headers: () => ({}),
};
