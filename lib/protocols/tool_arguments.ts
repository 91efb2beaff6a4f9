/**
 * Parses the arguments of a tool call, for wire formats that need them as an object.
 *
 * @module
 */
import type { ToolCall } from "../chat/tool_call.ts";
import { InvalidInputError } from "../errors.ts";
import { asObject, type Json, parseExact } from "../json/json.ts";

/**
 * Parses the arguments of a call; empty arguments become an empty object. Records written by other tools
 * may contain the object itself. The APIs only accept objects, so any other value becomes the field `input`
 * of one.
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
