/**
 * Rewrites the tools of a request and the choice between them for another API.
 *
 * A hosted tool is an offer: without it the model answers by itself, so it is left out. One that brings data
 * of the client into the answer, such as a vector store, is refused.
 *
 * Sources: OpenAI API reference, "Responses", `tools`; Anthropic API reference, "Messages", `tools`; Gemini
 * API reference, "Tool".
 *
 * @module
 */
import {
  type FunctionTool,
  isFunctionTool,
  type ProviderTool,
  type Tool,
  type ToolChoice,
} from "../../../chat/options.ts";
import { asObject, asObjects, asText, type Json } from "../../../json/json.ts";
import { isStrictSchema } from "../../../protocols/openai_chat/validate_tools.ts";
import { fieldOf } from "./fields/client_fields.ts";
import { unsupportedField } from "./fields/field_rules.ts";
import { isPlainSchema } from "./response_format.ts";
import type { Target } from "./target.ts";
import { CUSTOM_INPUT, customOf, type ToolNames } from "./tool_names.ts";

/** Hosted tools, by type or field, whose data an answer depends on. */
const WITH_DATA =
  /^(mcp|mcp_toolset|mcpServers|file_search|fileSearch|retrieval|collections_search)$/;

function isOwnTool(tool: Tool): boolean {
  return isFunctionTool(tool) || customOf(tool) !== undefined;
}

/**
 * The functions and custom tools of a request. The others are dropped or refused by their place in the
 * client's list.
 *
 * @throws {GatewayError} that names a tool
 */
export function ownTools(
  tools: readonly Tool[],
  body: Json,
  dropped: Set<string>,
): readonly Tool[] {
  const own = tools.filter(isOwnTool);
  if (own.length === tools.length) return own;
  for (const tool of tools) {
    if (isOwnTool(tool)) continue;
    const index = asObjects(body.tools).findIndex((given) =>
      isSameTool(given, tool as ProviderTool)
    );
    const path = index < 0 ? "tools[]" : `tools[${index}]`;
    // Gemini has a field for each of its own tools.
    const name = asText(tool.type) ?? Object.keys(tool)[0] ?? "";
    if (WITH_DATA.test(name)) {
      throw unsupportedField(
        path,
        `${path}: only the provider that runs ${name} can answer with it`,
        "Offer it as a function that your program runs, or use a model of that provider.",
      );
    }
    dropped.add(`${path}.${name}`);
  }
  return own;
}

/** Whether the client's `given` tool is `tool`, from which functions next to it were split off. */
function isSameTool(given: Json, tool: ProviderTool): boolean {
  if (given === tool) return true;
  const [name] = Object.keys(tool);
  return name !== undefined && given[name] === tool[name] && typeof tool[name] === "object";
}

/** Schemas whose top level says what kinds of objects there are, which OpenAI and Anthropic reject. */
const COMPOSED = ["anyOf", "oneOf", "allOf"] as const;

/** A schema of an object whose top level lists its properties. */
function plainObject(schema: Json): Json {
  const variants = COMPOSED.flatMap((name) => asObjects(schema[name]));
  if (variants.length === 0) return { type: "object", properties: {}, ...schema };
  const { anyOf: _anyOf, oneOf: _oneOf, allOf: _allOf, ...rest } = schema;
  const properties: Json = {};
  for (const variant of variants) Object.assign(properties, asObject(variant.properties));
  return { ...rest, type: "object", properties: { ...properties, ...asObject(schema.properties) } };
}

function sentFunction(tool: FunctionTool, names: ToolNames, target: Target): FunctionTool {
  const { name, description, parameters, strict } = tool.function;
  const fn: Json = { name: names.sentName(name) };
  if (description) fn.description = description;
  const schema = asObject(parameters);
  if (schema !== undefined) {
    fn.parameters = target.protocol.name === "gemini" ? schema : plainObject(schema);
  }
  // Strictness is only a wish for a schema that the rules of strict mode do not allow.
  const isStrict = strict && schema !== undefined && isStrictSchema(schema);
  if (isStrict && (target.protocol.name !== "claude" || isPlainSchema(schema))) fn.strict = true;
  const sent = { type: "function", function: fn } as unknown as FunctionTool;
  return tool.cache_control && target.cacheControl
    ? { ...sent, cache_control: tool.cache_control }
    : sent;
}

/** The function that replaces a custom tool. Its grammar becomes part of the description. */
function customFunction(custom: Json, names: ToolNames): FunctionTool {
  const format = asObject(custom.format);
  const { syntax, definition } = asObject(format?.grammar) ?? {};
  const description = [
    asText(custom.description) ?? "",
    asText(definition) === undefined
      ? ""
      : `The input must match this ${syntax ?? ""} grammar:\n${definition}`,
  ].filter((text) => text !== "").join("\n\n");
  return {
    type: "function",
    function: {
      name: names.sentName(String(custom.name)),
      description,
      parameters: {
        type: "object",
        properties: {
          [CUSTOM_INPUT]: { type: "string", description: "The whole input of the tool, as text." },
        },
        required: [CUSTOM_INPUT],
        additionalProperties: false,
      },
    },
  };
}

/** Rewrites functions and custom tools. */
export function sentTools(
  tools: readonly Tool[],
  names: ToolNames,
  target: Target,
  dropped: Set<string>,
): Tool[] {
  return tools.map((tool) => {
    if (tool.cache_control && !target.cacheControl) dropped.add("cache_control");
    const custom = customOf(tool);
    if (custom !== undefined) {
      return target.customTools ? tool : customFunction(custom, names);
    }
    return sentFunction(tool as FunctionTool, names, target);
  });
}

/** The name in the choice of one tool. */
function chosenName(choice: Json): string | undefined {
  const { type } = choice;
  return type === "function" || type === "custom"
    ? asText(asObject(choice[type])?.name)
    : undefined;
}

/** The choice of a tool and the tools that it leaves. */
export interface SentChoice {
  tools: readonly Tool[];
  toolChoice: ToolChoice | undefined;
}

/**
 * Rewrites the choice between `tools`, the client's own.
 *
 * @param client the name of the client's format
 * @throws {GatewayError} if the choice forces a tool that cannot be sent
 */
export function sentChoice(
  choice: ToolChoice | undefined,
  tools: readonly Tool[],
  names: ToolNames,
  target: Target,
  client: string,
): SentChoice {
  const nameOf = (tool: Tool) =>
    isFunctionTool(tool) ? tool.function.name : String(customOf(tool)?.name);
  const known = new Set(tools.map(nameOf));
  const sent = (name: string) => {
    const tool = tools.find((tool) => nameOf(tool) === name)!;
    const type = customOf(tool) !== undefined && target.customTools ? "custom" : "function";
    return { type, [type]: { name: names.sentName(name) } } as {
      type: "function";
      function: { name: string };
    };
  };
  if (choice === undefined || choice === "auto" || choice === "none") {
    return { tools, toolChoice: tools.length === 0 ? undefined : choice };
  }
  if (choice === "required" && tools.length > 0) return { tools, toolChoice: choice };
  if (typeof choice === "object" && choice.type === "allowed_tools") {
    const { mode, tools: listed } = choice.allowed_tools;
    const allowed = asObjects(listed).map(chosenName).filter((name) =>
      name !== undefined && known.has(name)
    ) as string[];
    if (target.allowedTools) {
      return {
        tools,
        toolChoice: {
          type: "allowed_tools",
          allowed_tools: { mode, tools: allowed.map(sent) },
        },
      };
    }
    const left = tools.filter((tool) => allowed.includes(nameOf(tool)));
    if (left.length > 0) return { tools: left, toolChoice: mode };
    if (mode === "auto") return { tools, toolChoice: "none" };
  } else if (typeof choice === "object") {
    const name = chosenName(choice as unknown as Json);
    if (name !== undefined && known.has(name)) return { tools, toolChoice: sent(name) };
  }
  const field = fieldOf("toolChoice", client);
  throw unsupportedField(
    field,
    `${field} forces a tool that ${target.who} does not have`,
    `Choose one of the request's functions, or leave ${field} out.`,
  );
}
