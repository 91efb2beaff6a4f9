/**
 * Parses the JSON in one event of a stream.
 *
 * @module
 */
import { MalformedResponseError } from "../errors.ts";
import { asObject, type Json, mayBeInexact, parseExact } from "../json/json.ts";

/**
 * Parses the data of an event; JSON that is not an object becomes an empty one.
 *
 * @param exact whether to preserve numbers that a double cannot hold
 * @throws {MalformedResponseError} when it is not JSON
 */
export function parseEvent(data: string, exact = false): Json {
  try {
    return asObject(exact && mayBeInexact(data) ? parseExact(data) : JSON.parse(data)) ?? {};
  } catch (cause) {
    throw new MalformedResponseError("the stream contains an event that is not JSON", {
      cause,
      retryable: true,
    });
  }
}
