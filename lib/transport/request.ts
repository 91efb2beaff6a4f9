/**
 * An encoded HTTP request.
 *
 * @module
 */

/** A request as it goes over the wire: a POST when it has a body, else a GET. */
export interface EncodedRequest {
  url: string;
  headers: Record<string, string>;
  body?: string;
}
