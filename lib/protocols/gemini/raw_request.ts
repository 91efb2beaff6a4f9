/**
 * Addresses requests whose bodies are already in Gemini's format.
 *
 * Source: Gemini API reference, "models.generateContent", "models.streamGenerateContent" and
 * "models.countTokens".
 *
 * @module
 */
import type { EncodedRequest } from "../../transport/request.ts";
import type { Endpoint, RawRequest } from "../protocol.ts";
import { jsonHeaders } from "../request.ts";
import { methodUrl } from "./method_url.ts";

function methodOf({ operation, stream }: RawRequest): string | undefined {
  switch (operation) {
    case "chat":
      return stream ? "streamGenerateContent" : "generateContent";
    case "count_tokens":
      return "countTokens";
    default:
      return undefined;
  }
}

/**
 * Returns the URL and the headers of a raw request; `undefined` for embeddings, whose format is OpenAI's.
 * Streams are requested as server-sent events, whatever the client's query asks for.
 */
export function rawRequest(
  endpoint: Endpoint,
  request: RawRequest,
): Omit<EncodedRequest, "body"> | undefined {
  const method = methodOf(request);
  return method === undefined ? undefined : {
    url: methodUrl(endpoint, request.model, method),
    headers: jsonHeaders(endpoint, "x-goog-api-key"),
  };
}
