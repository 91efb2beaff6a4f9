/**
 * The arguments of a tool call, for wire formats that want them as an object.
 *
 * @module
 */
import type { ToolCall } from "../chat/tool_call.ts";
import { InvalidInputError } from "../errors.ts";
import { asObject, type Json, parseExact } from "../json/json.ts";

/**
 * Parses the arguments of a call; none at all are an empty object. Records written by other tools may
 * hold the object itself. Anything but an object, the only type that the APIs accept, becomes the field `input` of one.
 *
 * @throws {InvalidInputError} when they are not JSON
 */
export function parseArguments(call: ToolCall): Json {
  const given: unknown = call.function.arguments;
  try {
    const value = typeof given === "string" ? parseExact(given || "{}") : given ?? {};
    return asObject(value) ?? { input: value };
  } catch (cause) {
    throw new InvalidInputError(
      `the arguments of the tool call ${call.id} are not JSON: ${given}`,
      { cause },
    );
  }
}
