/**
 * Encodes tools, tool choices and tool calls for Anthropic's Messages API.
 *
 * Source: Anthropic API reference, "Messages", `tools` and `tool_choice`; "Tool use"; "Fine-grained tool
 * streaming" (inputs that are not valid JSON).
 *
 * @module
 */
import {
  isFunctionTool,
  type SamplingOptions,
  type Tool,
  type ToolChoice,
} from "../../chat/options.ts";
import type { ToolCall } from "../../chat/tool_call.ts";
import { asObject, asText, type Json, parseExact } from "../../json/json.ts";
import { withCacheControl } from "./content.ts";
import type { ClaudeModel } from "./model_features.ts";
import { rejectToolOptions, unsupported } from "../unsupported.ts";

function encodeTool(tool: Tool): Json {
  if (!isFunctionTool(tool)) return tool;
  const { name, description, parameters, strict } = tool.function;
  const input_schema = { type: "object", properties: {}, ...parameters };
  return withCacheControl({ name, description, input_schema, strict }, tool);
}

/** Encodes the tools of a request; `undefined` if there are none, since the API rejects an empty list. */
export function encodeTools(tools: readonly Tool[] | undefined): Json[] | undefined {
  return tools === undefined || tools.length === 0 ? undefined : tools.map(encodeTool);
}

function choiceOf(choice: ToolChoice | undefined, name: string, model: ClaudeModel): Json {
  if (choice === undefined || choice === "auto") return { type: "auto" };
  if (choice === "none") return { type: "none" };
  const isFunction = asObject(choice)?.type === "function" && asText(functionName(choice));
  if (choice !== "required" && !isFunction) {
    const type = asText(asObject(choice)?.type) ?? JSON.stringify(choice);
    throw unsupported(
      `toolChoice ${type}`,
      "Claude",
      'Use "auto", "none", "required" or {"type": "function", "function": {"name": …}}.',
    );
  }
  if (!model.forcedTools) {
    throw unsupported(
      "toolChoice",
      name,
      'This model cannot be forced to call a tool: use "auto" or "none".',
    );
  }
  return choice === "required" ? { type: "any" } : { type: "tool", name: functionName(choice) };
}

function functionName(choice: ToolChoice): unknown {
  return asObject(asObject(choice)?.function)?.name;
}

/**
 * Encodes the tool choice of a request; `undefined` leaves it to the API's default.
 *
 * @throws {ConfigurationError} when there are no tools, or the model does not support it
 */
export function encodeToolChoice(
  options: SamplingOptions,
  name: string,
  model: ClaudeModel,
): Json | undefined {
  const { toolChoice, parallelToolCalls } = options;
  if (toolChoice === undefined && parallelToolCalls === undefined) return undefined;
  rejectToolOptions(options);
  const choice = choiceOf(toolChoice, name, model);
  if (parallelToolCalls === false && choice.type !== "none") {
    choice.disable_parallel_tool_use = true;
  }
  return choice;
}

/** Parses the arguments of a call to the object that the API requires. */
function inputOf(text: unknown, type: ToolCall["type"]): unknown {
  if (typeof text !== "string") return asObject(text) ?? {};
  if (type === "custom") return { input: text };
  if (text.trim() === "") return {};
  let value: unknown;
  try {
    value = parseExact(text);
  } catch {
    // The result of the call follows, so the model must see what it wrote.
    return { INVALID_JSON: text };
  }
  return asObject(value) ?? { arguments: value };
}

/** Encodes another provider's call as a block. `id` must be one that the API accepts. */
export function encodeToolCall(call: ToolCall, id: string): Json {
  // Records written by other tools have the fields of `function` in the call itself.
  const called = call.function ?? call as unknown as ToolCall["function"];
  return { type: "tool_use", id, name: called.name, input: inputOf(called.arguments, call.type) };
}
