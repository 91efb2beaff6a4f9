/**
 * Which tools a request offers, and which one it requires.
 *
 * @module
 */
import type { SamplingOptions } from "../chat/options.ts";
import { asObject, asObjects, asText, type Json } from "../json/json.ts";

/** A tool that the client runs itself. */
export interface OfferedTool {
  name: string;
  /** The schema of its arguments; `undefined` for OpenAI's custom tools, whose input is free text. */
  schema: Json | undefined;
}

/** The functions and custom tools of a request. */
export function offeredTools(options: SamplingOptions): OfferedTool[] {
  return asObjects(options.tools).flatMap(({ type, function: fn, custom }): OfferedTool[] => {
    if (type === "custom") return [{ name: String(asObject(custom)?.name), schema: undefined }];
    if (type !== "function") return [];
    const { name, parameters } = asObject(fn) ?? {};
    return [{ name: String(name), schema: asObject(parameters) ?? { type: "object" } }];
  });
}

/** The tool that a request requires the model to call; the first one if any will do. */
export function requiredTool(
  { toolChoice }: SamplingOptions,
  tools: readonly OfferedTool[],
): OfferedTool | undefined {
  if (toolChoice === "required") return tools[0];
  const { type, allowed_tools, ...named } = asObject(toolChoice) ?? {};
  const allowed = asObject(allowed_tools);
  const chosen = type === "allowed_tools"
    ? allowed?.mode === "required" ? asObjects(allowed.tools)[0] : undefined
    : named;
  const name = asText(asObject(chosen?.function ?? chosen?.custom)?.name);
  return name === undefined ? undefined : tools.find((tool) => tool.name === name);
}
