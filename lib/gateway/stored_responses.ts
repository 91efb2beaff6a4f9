/**
 * Remembers which endpoint has stored which response, so that a call that continues one gets there: other providers,
 * and other accounts, do not have it.
 *
 * @module
 */
import type { EndpointClient } from "../client/endpoint_client.ts";
import { asObject, asText } from "../json/json.ts";

/** Responses to remember; the oldest ones are forgotten. */
const MAX_RESPONSES = 10_000;

/** The responses of one route. */
export class StoredResponses {
  readonly #endpoints = new Map<string, EndpointClient>();

  /** Remembers an answer, as the provider sent it. */
  add(raw: unknown, endpoint: EndpointClient): void {
    const id = asText(asObject(raw)?.id);
    if (id === undefined) return;
    this.#endpoints.set(id, endpoint);
    if (this.#endpoints.size <= MAX_RESPONSES) return;
    const [oldest] = this.#endpoints.keys();
    this.#endpoints.delete(oldest);
  }

  /** The endpoint that has the response with this id, if it is known. */
  find(id: unknown): EndpointClient | undefined {
    return typeof id === "string" ? this.#endpoints.get(id) : undefined;
  }
}
