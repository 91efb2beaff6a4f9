/**
 * The JSON in one event of a stream.
 *
 * @module
 */
import { MalformedResponseError } from "../errors.ts";
import { asObject, type Json } from "../json.ts";

/**
 * Parses the data of an event; what is JSON but no object is an empty one.
 *
 * @throws {MalformedResponseError} when it is not JSON
 */
export function parseEvent(data: string): Json {
  try {
    return asObject(JSON.parse(data)) ?? {};
  } catch (cause) {
    throw new MalformedResponseError("the stream holds an event that is not JSON", {
      cause,
      retryable: true,
    });
  }
}
