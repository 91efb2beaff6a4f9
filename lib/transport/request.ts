/**
 * Defines an encoded HTTP request.
 *
 * @module
 */

/** A request as it is sent: a POST if it has a body, else a GET. */
export interface EncodedRequest {
  url: string;
  headers: Record<string, string>;
  body?: string;
}
