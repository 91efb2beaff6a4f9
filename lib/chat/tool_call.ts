/**
 * Reads and validates tool calls in messages, in all accepted forms.
 *
 * @module
 */
import { asObject, type Json } from "../json/json.ts";
import { show } from "./show.ts";

/** A tool call of the model, in OpenAI's form, so that it can be sent back unchanged. */
export interface ToolCall {
  /** The provider's id, which the answering tool message refers to. */
  id: string;
  /** A function, or one of OpenAI's custom tools, which take free text. */
  type: "function" | "custom";
  /** The called function and its arguments. */
  function: {
    name: string;
    /**
     * The arguments as JSON text, `{}` if there are none. Models can write invalid JSON, so expect parsing to
     * fail. For a custom tool, this is its input.
     */
    arguments: string;
  };
}

/**
 * The parts of a tool call: `{type: "function", function: {…}}`, OpenAI's custom tools
 * (`{type: "custom", custom: {name, input}}`), or flat, as in other formats and datasets.
 */
export function partsOf(call: Json): Json {
  const fn = asObject(call.function);
  if (fn !== undefined) return { name: fn.name, args: fn.arguments };
  const custom = asObject(call.custom);
  if (custom !== undefined) return { name: custom.name, args: custom.input };
  return { name: call.name, args: call.arguments ?? call.input };
}

/** What is wrong with the tool calls in an assistant message, after its path; `undefined` if they are valid. */
export function toolCallsProblem(calls: unknown): string | undefined {
  if (calls === undefined || calls === null) return undefined;
  if (!Array.isArray(calls)) return `.tool_calls: expected an array, got ${show(calls)}`;
  for (const [i, value] of calls.entries()) {
    const call = asObject(value);
    if (call === undefined || typeof partsOf(call).name !== "string") {
      return `.tool_calls[${i}]: expected {"id", "type": "function", "function": {"name", ` +
        `"arguments"}}, got ${show(value)}`;
    }
    if (call.id !== undefined && call.id !== null && typeof call.id !== "string") {
      return `.tool_calls[${i}].id: expected a string, got ${show(call.id)}`;
    }
  }
  return undefined;
}
