/**
 * The JSON in one event of a stream.
 *
 * @module
 */
import { MalformedResponseError } from "../errors.ts";
import { asObject, type Json, mayBeInexact, parseExact } from "../json/json.ts";

/**
 * Parses the data of an event; what is JSON but no object is an empty one.
 *
 * @param exact whether numbers that a double would change are kept as they are written
 * @throws {MalformedResponseError} when it is not JSON
 */
export function parseEvent(data: string, exact = false): Json {
  try {
    return asObject(exact && mayBeInexact(data) ? parseExact(data) : JSON.parse(data)) ?? {};
  } catch (cause) {
    throw new MalformedResponseError("the stream holds an event that is not JSON", {
      cause,
      retryable: true,
    });
  }
}
