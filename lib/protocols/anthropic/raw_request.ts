/**
 * Addresses requests whose bodies are already in the format of Anthropic's Messages API.
 *
 * Source: Anthropic API reference, "Messages", "Count Message tokens", "Versions" and "Beta headers"; the
 * query `beta=true` is that of the `beta` methods of `@anthropic-ai/sdk`.
 *
 * @module
 */
import type { EncodedRequest } from "../../transport/request.ts";
import type { Endpoint, RawRequest } from "../protocol.ts";
import { fixedUrl, jsonHeaders, requestUrl } from "../request.ts";
import { betasFor } from "./betas.ts";
import { VERSION } from "./versions.ts";

const PATHS: Partial<Record<RawRequest["operation"], string>> = {
  chat: "/messages",
  count_tokens: "/messages/count_tokens",
};

/** Returns the URL and the headers of a raw request; `undefined` for embeddings, which the API lacks. */
export function rawRequest(
  endpoint: Endpoint,
  { operation, headers, query }: RawRequest,
): Omit<EncodedRequest, "body"> | undefined {
  const path = PATHS[operation];
  if (path === undefined) return undefined;
  // A known service is not Anthropic's API: it may not know the newest version.
  const version = endpoint.service === undefined ? headers?.get("anthropic-version") : undefined;
  const encoded = jsonHeaders(endpoint, "x-api-key", { "anthropic-version": version || VERSION });
  const betas = betasFor(endpoint, headers?.get("anthropic-beta"));
  if (betas.length > 0) {
    for (const name in encoded) {
      if (name.toLowerCase() === "anthropic-beta") delete encoded[name];
    }
    encoded["anthropic-beta"] = betas.join(",");
  }
  const beta = query?.get("beta") ?? undefined;
  const url = beta === undefined ? fixedUrl(endpoint, path) : requestUrl(endpoint, path, { beta });
  return { url, headers: encoded };
}
