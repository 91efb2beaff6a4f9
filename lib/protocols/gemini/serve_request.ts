/**
 * Decodes requests of Google's Gemini API.
 *
 * Source: Gemini API reference, "models.generateContent", and the types of `@google/genai` 3.1.
 *
 * @module
 */
import type { TextPart } from "../../chat/messages.ts";
import {
  type ResponseFormat,
  type SamplingOptions,
  THINKING_LEVELS,
  type ThinkingLevel,
  type Tool,
  type ToolChoice,
} from "../../chat/options.ts";
import { asObject, asObjects, asText, type Json } from "../../json/json.ts";
import {
  choicesOf,
  type OptionNames,
  remaining,
  splitOptions,
  UNNAMED_FORMAT,
} from "../serve_request.ts";
import type { RequestContext, ServerRequest } from "../serve.ts";
import { decodeContents, decodeParts } from "./serve_contents.ts";

const OPTIONS: OptionNames = {
  maxOutputTokens: "maxTokens",
  temperature: "temperature",
  topP: "topP",
  topK: "topK",
  stopSequences: "stop",
  seed: "seed",
  presencePenalty: "presencePenalty",
  frequencyPenalty: "frequencyPenalty",
};

/** Keywords whose numbers Google's own schemas write as strings. */
const COUNTS = /^(min|max)(Items|Length|Properties)$/;

/** Converts Google's own schemas, which write types in capitals, counts as strings, and have `nullable`. */
function toJsonSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toJsonSchema);
  if (typeof value !== "object" || value === null) return value;
  const schema: Json = {};
  for (const [name, field] of Object.entries(value)) {
    if (name === "type" && typeof field === "string") schema.type = field.toLowerCase();
    else if (COUNTS.test(name) && typeof field === "string") schema[name] = Number(field);
    else schema[name] = toJsonSchema(field);
  }
  if (schema.nullable !== true || typeof schema.type !== "string") return schema;
  const { nullable: _, type, ...rest } = schema;
  return { type: [type, "null"], ...rest };
}

function decodeFunction(declaration: Json): Tool {
  const { name, description, parametersJsonSchema, parameters } = declaration;
  const schema = toJsonSchema(parametersJsonSchema ?? parameters);
  const fn = remaining({ name, description, parameters: schema });
  return { type: "function", function: fn } as unknown as Tool;
}

function decodeTools(tools: unknown): Tool[] {
  return asObjects(tools).flatMap(({ functionDeclarations, ...own }) => {
    const functions = asObjects(functionDeclarations).map(decodeFunction);
    return Object.keys(own).length === 0 ? functions : [...functions, own];
  });
}

function decodeToolChoice(config: Json): ToolChoice | undefined {
  const { mode, allowedFunctionNames: names } = config;
  const tools = (Array.isArray(names) ? names : []).map((name) => ({
    type: "function" as const,
    function: { name: String(name) },
  }));
  switch (mode) {
    case "AUTO":
      return "auto";
    case "NONE":
      return "none";
    case "ANY":
      if (tools.length === 0) return "required";
      if (tools.length === 1) return tools[0];
      return { type: "allowed_tools", allowed_tools: { mode: "required", tools } };
    case "VALIDATED":
      if (tools.length === 0) return "auto";
      return { type: "allowed_tools", allowed_tools: { mode: "auto", tools } };
    default:
      return undefined;
  }
}

/** Reads the tools and the choice between them. Returns the rest of `toolConfig`. */
function takeTools(options: SamplingOptions, tools: unknown, config: Json): Json | undefined {
  if (Array.isArray(tools)) options.tools = decodeTools(tools);
  const calling = asObject(config.functionCallingConfig);
  const choice = calling && decodeToolChoice(calling);
  if (choice === undefined) return remaining(config);
  options.toolChoice = choice;
  // This mode without names means that arguments must match their schemas.
  if (calling?.mode === "VALIDATED" && choice === "auto") {
    for (const tool of options.tools ?? []) {
      const fn = asObject(tool.function);
      if (fn !== undefined) fn.strict = true;
    }
  }
  return remaining(config, "functionCallingConfig");
}

function decodeFormat(config: Json): ResponseFormat | undefined {
  const schema = asObject(config.responseJsonSchema) ?? asObject(config.responseSchema);
  if (schema !== undefined) {
    const json_schema = { name: UNNAMED_FORMAT, schema: toJsonSchema(schema) as Json };
    return { type: "json_schema", json_schema };
  }
  return config.responseMimeType === "application/json" ? { type: "json_object" } : undefined;
}

/** Reads `thinkingConfig`. Removes what the option covers from `config`. */
function takeThinking(options: SamplingOptions, config: Json): void {
  const { includeThoughts, thinkingBudget, thinkingLevel, ...others } =
    asObject(config.thinkingConfig) ?? {};
  const level = asText(thinkingLevel)?.toLowerCase();
  if (THINKING_LEVELS.includes(level as ThinkingLevel)) options.thinking = level as ThinkingLevel;
  else if (thinkingBudget === 0) options.thinking = false;
  else if (typeof thinkingBudget === "number" && thinkingBudget > 0) {
    options.thinking = thinkingBudget;
  } else if (includeThoughts === true) options.thinking = true;
  else return;
  // The encoder requests thoughts by itself.
  const isHidden = includeThoughts !== true && options.thinking !== false;
  const hidden = isHidden ? { includeThoughts: false } : {};
  config.thinkingConfig = remaining({ ...others, ...hidden });
}

/** Decodes a normalized request body. */
export function decodeRequest(body: Json, { model, stream }: RequestContext): ServerRequest {
  const { contents, systemInstruction, generationConfig, tools, toolConfig, ...extra } = body;
  const config = asObject(generationConfig) ?? {};
  const { options, rest } = splitOptions(config, OPTIONS);
  takeThinking(options, rest);
  const format = decodeFormat(rest);
  if (format !== undefined) options.responseFormat = format;
  const formatFields = format === undefined
    ? []
    : ["responseMimeType", "responseJsonSchema", "responseSchema"];
  const extraBody = remaining({
    ...extra,
    generationConfig: remaining(rest, ...formatFields),
    toolConfig: takeTools(options, tools, asObject(toolConfig) ?? {}),
  }, "model");
  if (extraBody !== undefined) options.extraBody = extraBody;
  const system = decodeParts(asObjects(asObject(systemInstruction)?.parts)) as string | TextPart[];
  const instructions = system.length === 0 ? [] : [{ role: "system" as const, content: system }];
  return {
    chat: {
      model: model ?? "",
      messages: [...instructions, ...decodeContents(asObjects(contents))],
      options,
      stream: stream === true,
    },
    body,
    choices: choicesOf(config.candidateCount),
    topLogprobs: config.responseLogprobs === true ? Number(config.logprobs ?? 0) : undefined,
    includeThinking: asObject(config.thinkingConfig)?.includeThoughts === true,
  };
}
