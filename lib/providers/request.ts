/**
 * Where a request goes and how it authenticates: the one place that builds URLs and key headers, for
 * completions and model lists of every wire format.
 *
 * @module
 */
import type { Endpoint } from "./provider.ts";
import { service } from "./services.ts";

/** How a wire format sends the API key, unless the service says otherwise (`Service.keyHeader`). */
export type KeyHeader = "authorization" | "x-api-key" | "x-goog-api-key";

/**
 * The URL of `path` under the endpoint's base URL. A query of the base URL (Azure's `api-version`) stays
 * at the end; parameters in `query` that are `undefined` are left out.
 */
export function requestUrl(
  endpoint: Endpoint,
  path: string,
  query: Record<string, string | undefined> = {},
): string {
  const url = new URL(endpoint.baseUrl);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}${path}`;
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url.href;
}

/**
 * The headers of a request: the key, then `own` (the format's version, the content type), then what the
 * user set, which wins.
 */
export function requestHeaders(
  endpoint: Endpoint,
  keyHeader: KeyHeader,
  own: Record<string, string> = {},
): Record<string, string> {
  const headers: Record<string, string> = {};
  const { apiKey } = endpoint;
  if (apiKey !== undefined) {
    const name = (endpoint.service && service(endpoint.service).keyHeader) ?? keyHeader;
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
