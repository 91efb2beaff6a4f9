/**
 * The ways in which a request to the mock can fail.
 *
 * @module
 */

/** How a request can fail. */
export type MockErrorKind =
  /** An error status: 500. */
  | "server_error"
  /** An error status: 529, or the protocol's own word for it. */
  | "overloaded"
  /** 429 with `Retry-After: 1`. */
  | "rate_limit"
  /** The connection is cut in the middle of the answer. */
  | "disconnect"
  /** The answer, or an event in the middle of a stream, is not JSON. */
  | "malformed"
  /** The answer stops in its middle, and the connection stays open. */
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
