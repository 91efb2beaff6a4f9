/**
 * The arguments of a tool call, for wire formats that want them as an object.
 *
 * @module
 */
import type { ToolCall } from "../chat/result.ts";
import { InvalidInputError } from "../errors.ts";
import { asObject, type Json } from "../json.ts";

/**
 * Parses the arguments of a call; none at all are an empty object. Claude and Gemini refuse a history
 * with arguments of another type, which models do write: those are sent as `{ input: … }`.
 *
 * @throws {InvalidInputError} when they are not JSON
 */
export function parseArguments(call: ToolCall): Json {
  try {
    const value: unknown = JSON.parse(call.function.arguments || "{}");
    return asObject(value) ?? { input: value };
  } catch (cause) {
    throw new InvalidInputError(
      `the arguments of the tool call ${call.id} are not JSON: ${call.function.arguments}`,
      { cause },
    );
  }
}
