/**
 * Validates request bodies as Google does, except for the rules of individual models.
 *
 * Source: Gemini API reference, "models.generateContent", the types of `@google/genai` 3.1, and error
 * messages as users report them.
 *
 * @module
 */
import type { Json } from "../../json/json.ts";
import { Fields, problemOf, reject } from "../body_checks.ts";
import type { RequestContext, ServerError } from "../serve.ts";
import {
  geminiWording as wording,
  isGeminiModel,
  rejectField,
  rejectUnknown,
} from "./validate_wording.ts";
import { checkContents } from "./validate_contents.ts";

const KNOWN: ReadonlySet<string> = new Set([
  ...["model", "contents", "systemInstruction", "tools", "toolConfig", "safetySettings"],
  ...["generationConfig", "cachedContent", "labels", "serviceTier", "store", "continuationToken"],
  ...["processingOptions", "generateContentRequest"],
]);
const KNOWN_CONFIG: ReadonlySet<string> = new Set([
  ...["modelSelectionConfig", "responseJsonSchema", "audioTranscriptionConfig", "audioTimestamp"],
  ...["candidateCount", "enableAffectiveDialog", "frequencyPenalty", "logprobs"],
  ...["maxOutputTokens", "mediaResolution", "presencePenalty", "responseFormat"],
  ...["responseLogprobs", "responseMimeType", "responseModalities", "responseSchema"],
  ...["routingConfig", "seed", "speechConfig", "stopSequences", "temperature", "thinkingConfig"],
  ...["topK", "topP", "enableEnhancedCivicAnswers", "translationConfig", "imageConfig"],
]);
const KNOWN_TOOLS: ReadonlySet<string> = new Set([
  ...["retrieval", "googleMaps", "mcpServers", "codeExecution", "computerUse"],
  ...["enterpriseWebSearch", "exaAiSearch", "functionDeclarations", "googleSearch"],
  ...["googleSearchRetrieval", "parallelAiSearch", "urlContext", "fileSearch"],
]);

const MIME_TYPES = /^(text\/plain|text\/x\.enum|application\/(json|xml|yaml))$/;
const LEVELS = ["MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH", "MAX", "THINKING_LEVEL_UNSPECIFIED"];
const MODES = ["AUTO", "ANY", "NONE", "VALIDATED", "MODE_UNSPECIFIED"];
const FUNCTION_NAME = /^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/;
const THRESHOLD =
  /^(HARM_BLOCK_THRESHOLD_UNSPECIFIED|BLOCK_(LOW_AND_ABOVE|MEDIUM_AND_ABOVE|ONLY_HIGH|NONE)|OFF)$/;

function rejectUnknownOf(fields: Fields, known: ReadonlySet<string>): void {
  const unknown = fields.unknown(known);
  if (unknown !== undefined) rejectUnknown(unknown, fields.path);
}

function checkThinking(config: Fields): void {
  const thinking = config.object("thinkingConfig");
  if (thinking === undefined) return;
  thinking.boolean("includeThoughts");
  thinking.integer("thinkingBudget", -1);
  const level = thinking.string("thinkingLevel");
  // The API reference writes levels in lower case, the SDK in upper case.
  if (level !== undefined && !LEVELS.includes(level.toUpperCase())) {
    wording.choice(thinking.at("thinkingLevel"), LEVELS, level);
  }
  if (level !== undefined && thinking.has("thinkingBudget")) {
    reject("You can only set only one of thinking budget and thinking level.");
  }
}

function checkFormat(config: Fields): void {
  const type = config.string("responseMimeType");
  if (type !== undefined && !MIME_TYPES.test(type)) {
    rejectField(
      config.at("responseMimeType"),
      "allowed mimetypes are `text/plain`, `application/json`, `application/xml`, `application/yaml` and `text/x.enum`.",
    );
  }
  const schemas = ["responseSchema", "responseJsonSchema"].filter((name) => config.has(name));
  if (schemas.length === 2) {
    rejectField(config.at(schemas[1]), "only one of response_schema and response_json_schema");
  }
  if (schemas.length === 1 && (type === undefined || type === "text/plain")) {
    rejectField(
      config.at(schemas[0]),
      "a response schema needs response_mime_type `application/json` or `text/x.enum`.",
    );
  }
  config.object("responseSchema");
}

function checkConfig(config: Fields, official: boolean): void {
  if (official) rejectUnknownOf(config, KNOWN_CONFIG);
  config.number("temperature", 0, 2);
  config.number("topP", 0, 1);
  config.number("topK", 1);
  config.integer("candidateCount", 1, 8);
  config.integer("maxOutputTokens", 1);
  config.integer("seed");
  config.number("presencePenalty", -2, 2);
  config.number("frequencyPenalty", -2, 2);
  config.strings("stopSequences", 0, 5);
  config.boolean("responseLogprobs");
  config.integer("logprobs", 0, 20);
  if (config.has("logprobs") && config.value.responseLogprobs !== true) {
    rejectField(config.at("logprobs"), "logprobs needs response_logprobs to be true.");
  }
  checkThinking(config);
  checkFormat(config);
}

function checkFunctions(tools: readonly Fields[], official: boolean): string[] {
  const names: string[] = [];
  for (const tool of tools) {
    if (official) rejectUnknownOf(tool, KNOWN_TOOLS);
    for (const fn of tool.objects("functionDeclarations") ?? []) {
      const name = fn.required("name").string("name")!;
      if (!FUNCTION_NAME.test(name)) {
        rejectField(
          fn.at("name"),
          "Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-).",
        );
      }
      if (names.includes(name)) reject(`Duplicate function declaration found: ${name}`);
      fn.string("description");
      fn.object("parameters");
      if (fn.has("parameters") && fn.has("parametersJsonSchema")) {
        rejectField(fn.at("parameters"), "only one of parameters and parameters_json_schema");
      }
      names.push(name);
    }
  }
  return names;
}

function checkChoice(body: Fields, names: readonly string[]): void {
  const config = body.object("toolConfig")?.object("functionCallingConfig");
  if (config === undefined) return;
  const mode = config.choice("mode", MODES);
  if (mode === "ANY" && names.length === 0) {
    reject("Function calling config is set without function_declarations.");
  }
  const allowed = config.strings("allowedFunctionNames") ?? [];
  if (allowed.length > 0 && mode !== "ANY" && mode !== "VALIDATED") {
    rejectField(
      config.at("allowedFunctionNames"),
      "allowed_function_names should only be set when the mode is ANY or VALIDATED.",
    );
  }
  const stray = allowed.find((name) => !names.includes(name));
  if (stray !== undefined) {
    rejectField(
      config.at("allowedFunctionNames"),
      `${stray} is not among the function_declarations.`,
    );
  }
}

function checkBody(value: Json, model: string | undefined): void {
  const body = new Fields(wording, value);
  const official = isGeminiModel(model);
  if (official) rejectUnknownOf(body, KNOWN);
  checkContents(body, official);
  for (const setting of body.objects("safetySettings") ?? []) {
    setting.required("category", "threshold").string("category");
    const threshold = setting.string("threshold")!;
    if (!THRESHOLD.test(threshold)) wording.choice(setting.at("threshold"), [], threshold);
  }
  const config = body.object("generationConfig");
  if (config !== undefined) checkConfig(config, official);
  checkChoice(body, checkFunctions(body.objects("tools") ?? [], official));
}

/** Checks a normalized body as Google does. Returns the first mistake. */
export function validate(body: Json, { model }: RequestContext): ServerError | undefined {
  return problemOf(() => checkBody(body, model));
}
