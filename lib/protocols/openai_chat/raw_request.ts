/**
 * Addresses requests whose bodies are already in OpenAI's formats: Chat Completions, Responses and embeddings.
 *
 * Source: OpenAI API reference, "Create chat completion", "Create a model response", "Get input token counts"
 * and "Create embeddings".
 *
 * @module
 */
import type { EncodedRequest } from "../../transport/request.ts";
import type { Endpoint, RawRequest } from "../protocol.ts";
import { fixedUrl, forwardedHeaders, jsonHeaders } from "../request.ts";

/** The path of each operation; absent if the format lacks it. */
export type OperationPaths = Readonly<Partial<Record<RawRequest["operation"], string>>>;

/** `openai-beta` selects preview versions of an API. */
const FORWARDED = ["openai-beta"];

/** Returns the function that addresses raw requests to these paths. */
export function rawRequests(
  paths: OperationPaths,
): (endpoint: Endpoint, request: RawRequest) => Omit<EncodedRequest, "body"> | undefined {
  return (endpoint, { operation, headers }) => {
    const path = paths[operation];
    return path === undefined ? undefined : {
      url: fixedUrl(endpoint, path),
      headers: jsonHeaders(endpoint, "authorization", forwardedHeaders(headers, FORWARDED)),
    };
  };
}
