/**
 * The arguments of a tool call, for wire formats that want them as an object.
 *
 * @module
 */
import type { ToolCall } from "../chat/result.ts";
import { InvalidInputError } from "../errors.ts";
import { parseExact } from "../json.ts";

/**
 * Parses the arguments of a call; none at all are an empty object.
 *
 * @throws {InvalidInputError} when they are not JSON
 */
export function parseArguments(call: ToolCall): unknown {
  try {
    return parseExact(call.function.arguments || "{}");
  } catch (cause) {
    throw new InvalidInputError(
      `the arguments of the tool call ${call.id} are not JSON: ${call.function.arguments}`,
      { cause },
    );
  }
}
