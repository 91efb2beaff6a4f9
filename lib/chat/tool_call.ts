/**
 * Tool calls in messages, in all accepted forms.
 *
 * @module
 */
import { asObject, type Json } from "../json/json.ts";
import { show } from "./show.ts";

/** A call of a tool that the model asks for, in OpenAI's form, so that it can go back as it is. */
export interface ToolCall {
  /** The provider's id, to be named by the tool message that answers it. */
  id: string;
  /** A function, or one of OpenAI's custom tools, whose input is free text. */
  type: "function" | "custom";
  /** What to call. */
  function: {
    name: string;
    /**
     * The arguments as JSON text, `{}` when there are none; a model may write invalid JSON, so parse with
     * care. The input of a custom tool is here as it came.
     */
    arguments: string;
  };
}

/**
 * The parts of a tool call: `{type: "function", function: {…}}`, OpenAI's custom tools
 * (`{type: "custom", custom: {name, input}}`), or flat, as other formats and data sets have them.
 */
export function partsOf(call: Json): Json {
  const fn = asObject(call.function);
  if (fn !== undefined) return { name: fn.name, args: fn.arguments };
  const custom = asObject(call.custom);
  if (custom !== undefined) return { name: custom.name, args: custom.input };
  return { name: call.name, args: call.arguments ?? call.input };
}

/** What is wrong with the tool calls in an assistant message, if anything. */
export function toolCallsProblem(calls: unknown, at: () => string): string | undefined {
  if (calls === undefined || calls === null) return undefined;
  if (!Array.isArray(calls)) return `${at()}.tool_calls: expected an array, got ${show(calls)}`;
  for (const [i, value] of calls.entries()) {
    const call = asObject(value);
    if (call === undefined || typeof partsOf(call).name !== "string") {
      return `${at()}.tool_calls[${i}]: expected {"id", "type": "function", "function": {"name", ` +
        `"arguments"}}, got ${show(value)}`;
    }
    if (call.id !== undefined && call.id !== null && typeof call.id !== "string") {
      return `${at()}.tool_calls[${i}].id: expected a string, got ${show(call.id)}`;
    }
  }
  return undefined;
}
