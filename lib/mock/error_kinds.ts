/**
 * The kinds of errors that the mock can inject.
 *
 * @module
 */

/** How a request fails. */
export type MockErrorKind =
  /** Status 500. */
  | "server_error"
  /** Status 529, or the status that the protocol uses for an overloaded server. */
  | "overloaded"
  /** Status 429 with `Retry-After: 1`. */
  | "rate_limit"
  /** The connection breaks in the middle of the answer. */
  | "disconnect"
  /** The answer, or an event in the middle of a stream, is not valid JSON. */
  | "malformed"
  /** The answer stops in the middle, and the connection stays open. */
  | "stall";

/** All kinds. */
export const MOCK_ERROR_KINDS: readonly MockErrorKind[] = [
  "server_error",
  "overloaded",
  "rate_limit",
  "disconnect",
  "malformed",
  "stall",
];
