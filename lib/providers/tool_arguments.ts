/**
 * The arguments of a tool call, for wire formats that want them as an object.
 *
 * @module
 */
import type { ToolCall } from "../chat/result.ts";
import { InvalidInputError } from "../errors.ts";

/**
 * Parses the arguments of a call; none at all are an empty object. Records written by other tools may
 * hold the object itself.
 *
 * @throws {InvalidInputError} when they are not JSON
 */
export function parseArguments(call: ToolCall): unknown {
  const given: unknown = call.function.arguments;
  if (typeof given !== "string") return given ?? {};
  try {
    return JSON.parse(given || "{}");
  } catch (cause) {
    throw new InvalidInputError(
      `the arguments of the tool call ${call.id} are not JSON: ${given}`,
      { cause },
    );
  }
}
