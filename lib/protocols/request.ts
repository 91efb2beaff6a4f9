/**
 * Where a request goes and how it authenticates: the one place that builds URLs and key headers, for
 * completions and model lists of every wire format.
 *
 * @module
 */
import type { Endpoint } from "./protocol.ts";

/** How a wire format sends the API key to a server of its own. */
export type KeyHeader = "authorization" | "x-api-key" | "x-goog-api-key";

/** The deployment in an Azure URL. */
const DEPLOYMENT = /\/deployments\/[^/]+$/;

/**
 * The URL of `path` under the endpoint's base URL. A query of the base URL (Azure's `api-version`) stays
 * at the end; parameters in `query` that are `undefined` are left out.
 *
 * Azure has only some of its operations under a deployment; models and Responses are outside of it.
 */
export function requestUrl(
  endpoint: Endpoint,
  path: string,
  query: Record<string, string | undefined> = {},
): string {
  const url = new URL(endpoint.baseUrl);
  const base = url.pathname.replace(/\/+$/, "");
  const isOutside = endpoint.service?.hasDeployments && path !== "/chat/completions";
  url.pathname = `${isOutside ? base.replace(DEPLOYMENT, "") : base}${path}`;
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url.href;
}

/**
 * The headers of a request: the key, then `own` (the format's version, the content type), then the
 * user's headers, which win.
 *
 * A service takes its own kind of key in every format that it speaks: DeepSeek, Moonshot, Z.ai, OpenRouter
 * and others document a bearer token for their Anthropic endpoints (`ANTHROPIC_AUTH_TOKEN`), as vLLM does.
 */
export function requestHeaders(
  endpoint: Endpoint,
  keyHeader: KeyHeader,
  own: Record<string, string> = {},
): Record<string, string> {
  const headers: Record<string, string> = {};
  const { apiKey } = endpoint;
  if (apiKey !== undefined) {
    const name = endpoint.service === undefined
      ? keyHeader
      : endpoint.service.keyHeader ?? "authorization";
    headers[name] = name === "authorization" ? `Bearer ${apiKey}` : apiKey;
  }
  return Object.assign(headers, own, endpoint.headers);
}

/** The headers of a request with a JSON body. */
export function jsonHeaders(
  endpoint: Endpoint,
  keyHeader: KeyHeader,
  own?: Record<string, string>,
): Record<string, string> {
  return requestHeaders(endpoint, keyHeader, { "content-type": "application/json", ...own });
}
