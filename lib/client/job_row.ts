/**
 * Converts an encoded call to the row of a provider job.
 *
 * @module
 */
import type { RowRequest } from "../batch_api/batch_api.ts";
import type { EncodedCall } from "./endpoint_client.ts";

/** The deployment in an Azure URL, outside of which some operations are. */
const DEPLOYMENT = /\/deployments\/[^/]+$/;

/** The path of a request's URL under the base URL: `/chat/completions`, `/messages`. */
function pathUnder(baseUrl: string, url: string): string {
  const { pathname } = new URL(url);
  const base = new URL(baseUrl).pathname.replace(/\/+$/, "");
  for (const prefix of [base, base.replace(DEPLOYMENT, "")]) {
    if (pathname.startsWith(`${prefix}/`)) return pathname.slice(prefix.length);
  }
  return pathname;
}

/** The row that sends an encoded call. */
export function rowRequest({ endpoint, request, encoded }: EncodedCall): RowRequest {
  return {
    body: encoded.body ?? "{}",
    model: request.model,
    path: pathUnder(endpoint.baseUrl, encoded.url),
  };
}
