/**
 * Builds the URL and the headers of requests: the only place that does, for completions, model lists and
 * balance queries in every wire format.
 *
 * @module
 */
import type { Endpoint } from "./protocol.ts";

/** The header in which a wire format sends the API key. */
export type KeyHeader = "authorization" | "x-api-key" | "x-goog-api-key";

/** The deployment in an Azure URL. */
const DEPLOYMENT = /\/deployments\/[^/]+$/;

/** The operations that are under a deployment. */
const DEPLOYED: ReadonlySet<string> = new Set(["/chat/completions", "/embeddings"]);

/**
 * Returns the URL of `path` under the endpoint's base URL. A query of the base URL (Azure's `api-version`) is
 * preserved; parameters in `query` that are `undefined` are omitted.
 *
 * On Azure only some operations are under a deployment; models and Responses are outside of it.
 */
export function requestUrl(
  endpoint: Endpoint,
  path: string,
  query: Record<string, string | undefined> = {},
): string {
  const url = new URL(endpoint.baseUrl);
  const base = url.pathname.replace(/\/+$/, "");
  const isOutside = endpoint.service?.hasDeployments && !DEPLOYED.has(path);
  url.pathname = `${isOutside ? base.replace(DEPLOYMENT, "") : base}${path}`;
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url.href;
}

const fixedUrls = new WeakMap<Endpoint, Map<string, string>>();

/** Returns the URL of one of the format's fixed paths; making it each time would be slow. */
export function fixedUrl(endpoint: Endpoint, path: string): string {
  let urls = fixedUrls.get(endpoint);
  if (urls === undefined) fixedUrls.set(endpoint, urls = new Map());
  let url = urls.get(path);
  if (url === undefined) urls.set(path, url = requestUrl(endpoint, path));
  return url;
}

/**
 * Returns the headers of a request: the key, then `own` (such as the format's version), then the user's
 * headers, which override the others.
 *
 * A service uses the same key header in every format that it speaks: DeepSeek, Moonshot, Z.ai, OpenRouter,
 * vLLM and others document a bearer token for their Anthropic endpoints (`ANTHROPIC_AUTH_TOKEN`).
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

/** Returns the headers of a request with a JSON body. */
export function jsonHeaders(
  endpoint: Endpoint,
  keyHeader: KeyHeader,
  own?: Record<string, string>,
): Record<string, string> {
  return requestHeaders(endpoint, keyHeader, { "content-type": "application/json", ...own });
}

/** Returns those of a client's headers that the server should get as well. */
export function forwardedHeaders(
  headers: Headers | undefined,
  names: readonly string[],
): Record<string, string> {
  const forwarded: Record<string, string> = {};
  for (const name of names) {
    const value = headers?.get(name);
    if (value) forwarded[name] = value;
  }
  return forwarded;
}
