/**
 * Encodes tools and tool choices for the Gemini API.
 *
 * Sources: Gemini API reference, "Tool", "ToolConfig", "FunctionCallingConfig"; documentation, "Combine
 * built-in tools and function calling" (`includeServerSideToolInvocations`; Gemini API only, with the
 * mode VALIDATED).
 *
 * @module
 */
import { isFunctionTool, type SamplingOptions, type ToolChoice } from "../../chat/options.ts";
import { ConfigurationError } from "../../errors.ts";
import { asObjects, type Json } from "../../json/json.ts";
import { type GeminiTarget, rejectCacheControl } from "./messages.ts";
import { rejectToolOptions, unsupported } from "../unsupported.ts";

/** The request fields for tools. */
export interface GeminiTools {
  tools: Json[] | undefined;
  toolConfig: Json | undefined;
}

/** Fields of `toolConfig` that hold our defaults, which `extraBody` may replace. */
export function toolDefaults({ toolChoice }: SamplingOptions): string[] {
  const mode = toolChoice === undefined ? ["toolConfig.functionCallingConfig.mode"] : [];
  return ["toolConfig.includeServerSideToolInvocations", ...mode];
}

function unknownChoice(choice: unknown): ConfigurationError {
  return new ConfigurationError(
    `toolChoice: expected "auto", "none", "required", a function or allowed_tools, got ${
      JSON.stringify(choice)
    }`,
  );
}

/** Encodes the mode and names of a choice. VALIDATED is AUTO with arguments that must fit their schemas. */
function encodeChoice(choice: ToolChoice, isValidated: boolean): Json {
  const auto = isValidated ? "VALIDATED" : "AUTO";
  switch (choice) {
    case "auto":
      return { mode: auto };
    case "none":
      return { mode: "NONE" };
    case "required":
      return { mode: "ANY" };
  }
  switch (choice?.type) {
    case "function":
      if (typeof choice.function?.name !== "string") throw unknownChoice(choice);
      return { mode: "ANY", allowedFunctionNames: [choice.function.name] };
    case "allowed_tools": {
      const { mode, tools } = choice.allowed_tools ?? {};
      const names = tools?.map((tool) => tool.function?.name);
      if ((mode !== "auto" && mode !== "required") || !names?.every(Boolean)) {
        throw unknownChoice(choice);
      }
      // AUTO does not accept names.
      return { mode: mode === "auto" ? "VALIDATED" : "ANY", allowedFunctionNames: names };
    }
    default:
      throw unknownChoice(choice);
  }
}

/** Checks that a built-in tool is Gemini's; those of OpenAI and Anthropic have a `type`. */
function checkOwnTool(tool: Json): Json {
  if (typeof tool.type !== "string") return tool;
  throw unsupported(
    `tools of type "${tool.type}"`,
    "Gemini",
    "Use functions, or Gemini's own tools in their own form, such as {googleSearch: {}}.",
  );
}

/**
 * Encodes tools and `toolChoice`.
 *
 * @throws {ConfigurationError} for a tool or a choice that Gemini does not support
 */
export function encodeTools(options: SamplingOptions, target: GeminiTarget): GeminiTools {
  const tools = options.tools ?? [];
  const toolChoice = options.toolChoice ?? undefined;
  const added = asObjects(options.extraBody?.tools);
  if (tools.length + added.length === 0) {
    rejectToolOptions(options);
    return { tools: undefined, toolConfig: undefined };
  }
  const functions = tools.filter(isFunctionTool);
  for (const tool of functions) rejectCacheControl(tool);
  // NONE only disables functions, so built-in tools must not be sent.
  const own = toolChoice === "none"
    ? []
    : tools.filter((tool) => !isFunctionTool(tool)).map((tool) => checkOwnTool(tool as Json));
  const others = [...own, ...added];
  const hasFunctions = functions.length > 0 ||
    others.some((tool) => tool.functionDeclarations !== undefined);
  const isMixed = hasFunctions && target.model.isGemini3 &&
    others.some((tool) => tool.functionDeclarations === undefined);
  const isValidated = isMixed || functions.some((tool) => tool.function.strict === true);
  const choice = toolChoice ?? (isValidated ? "auto" : undefined);
  const config = choice && encodeChoice(choice, isValidated);
  if (config !== undefined && !hasFunctions && config.mode === "ANY") {
    throw unsupported("toolChoice for built-in tools", "Gemini", "The model chooses among them.");
  }
  const encoded: Json[] = functions.length === 0 ? own : [{
    functionDeclarations: functions.map(({ function: tool }) => ({
      name: tool.name,
      description: tool.description,
      parametersJsonSchema: tool.parameters,
    })),
  }, ...own];
  return {
    tools: encoded.length === 0 ? undefined : encoded,
    toolConfig: hasFunctions && config !== undefined
      ? {
        functionCallingConfig: config,
        includeServerSideToolInvocations: isMixed && !target.isVertex ? true : undefined,
      }
      : undefined,
  };
}
