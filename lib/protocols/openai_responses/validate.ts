/**
 * Validates Responses bodies as OpenAI does, except for the rules of individual models.
 *
 * Source: OpenAI API reference, "Create a model response", the types of the `openai` package 7.57, and
 * error bodies as users report them.
 *
 * @module
 */
import type { Json } from "../../json/json.ts";
import { Fields, problemOf, reject } from "../body_checks.ts";
import type { ServerError } from "../serve.ts";
import { isOpenAIModel, openaiWording as wording } from "../openai_chat/validate_wording.ts";
import {
  checkFunction,
  checkName,
  checkStrict,
  checkToolExists,
} from "../openai_chat/validate_tools.ts";
import { checkInput } from "./validate_input.ts";

const KNOWN: ReadonlySet<string> = new Set([
  ...["access_programs", "background", "client_metadata", "context_management", "conversation"],
  ...["image", "include"],
  ...["input", "instructions", "max_output_tokens", "max_tool_calls", "metadata", "model"],
  ...["moderation", "parallel_tool_calls", "personality", "previous_response_id", "prompt"],
  ...["prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning"],
  ...["safety_identifier", "service_tier", "store", "stream", "stream_options", "temperature"],
  ...["text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user"],
]);

/** Fields of Chat Completions and their names in Responses. */
const MOVED: Record<string, string> = {
  messages: "input",
  max_tokens: "max_output_tokens",
  max_completion_tokens: "max_output_tokens",
  response_format: "text.format",
  reasoning_effort: "reasoning.effort",
};

const TOOLS = new RegExp(
  "^(function|custom|namespace|mcp|programmatic_tool_calling|local_shell|shell|apply_patch|" +
    "tool_search|file_search|image_generation|code_interpreter|computer(_use)?(_preview)?|" +
    "web_search(_preview)?)(_\\d{4}_\\d{2}_\\d{2})?$",
);
const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
const SUMMARIES = ["auto", "concise", "detailed"];
const NEEDED: Record<string, string> = {
  mcp: "server_label",
  file_search: "vector_store_ids",
  code_interpreter: "container",
};

function checkTools(body: Fields, official: boolean): void {
  const tools = body.objects("tools") ?? [];
  const names: unknown[] = [];
  for (const tool of tools) {
    const type = tool.required("type").string("type")!;
    if (official && !TOOLS.test(type)) {
      reject(`Invalid value: '${type}'.`, tool.at("type"), "invalid_value");
    }
    if (type === "function") checkFunction(tool, official);
    else if (type === "custom") checkName(tool);
    if (NEEDED[type] !== undefined) tool.required(NEEDED[type]);
    names.push(tool.value.name);
  }
  const { tool_choice: choice } = body.value;
  if (typeof choice === "string") {
    body.choice("tool_choice", ["none", "auto", "required"]);
    if (choice === "required" && tools.length === 0) {
      reject("Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice");
    }
    return;
  }
  const chosen = body.object("tool_choice");
  const type = chosen?.required("type").string("type");
  if (type === "function" || type === "custom") checkToolExists(chosen!.value.name, names, type);
  if (type !== "allowed_tools") return;
  chosen!.required("mode", "tools").choice("mode", ["auto", "required"]);
  for (const tool of chosen!.objects("tools", 1) ?? []) {
    if (tool.value.type === "function") checkToolExists(tool.value.name, names, "function");
  }
}

function checkText(body: Fields, official: boolean): void {
  const text = body.object("text");
  text?.choice("verbosity", ["low", "medium", "high"]);
  const format = text?.object("format");
  const type = format?.required("type").choice("type", ["text", "json_object", "json_schema"]);
  if (type !== "json_schema") return;
  checkName(format!);
  const { value: schema } = format!.requiredObject("schema");
  format!.boolean("strict");
  if (official && format!.value.strict === true) {
    checkStrict(schema, `response_format '${format!.value.name}'`, "text.format.schema");
  }
}

function checkSampling(body: Fields): void {
  body.number("temperature", 0, 2);
  body.number("top_p", 0, 1);
  body.integer("max_output_tokens", 1);
  body.integer("max_tool_calls", 1);
  body.integer("top_logprobs", 0, 20);
  const reasoning = body.object("reasoning");
  reasoning?.choice("effort", EFFORTS);
  reasoning?.choice("summary", SUMMARIES);
}

function checkNames(body: Fields, official: boolean): void {
  const moved = Object.keys(MOVED).find((name) => body.has(name));
  if (moved !== undefined) {
    reject(
      `Unsupported parameter: '${moved}'. In the Responses API, this parameter has moved to '${
        MOVED[moved]
      }'. Try again with the new parameter.`,
      moved,
      "unsupported_parameter",
    );
  }
  const unknown = official ? body.unknown(KNOWN) : undefined;
  if (unknown !== undefined) {
    reject(`Unknown parameter: '${unknown}'.`, unknown, "unknown_parameter");
  }
}

function checkBody(value: Json): void {
  const body = new Fields(wording, value);
  if (!body.has("prompt")) body.required("model");
  const official = isOpenAIModel(body.string("model"));
  checkNames(body, official);
  body.object("prompt")?.required("id").string("id");
  body.string("previous_response_id");
  body.string("instructions");
  if (body.has("previous_response_id") && body.has("conversation")) {
    reject(
      "Mutually exclusive parameters. Ensure you are only providing one of: " +
        "'previous_response_id' or 'conversation'.",
      undefined,
      "mutually_exclusive_parameters",
    );
  }
  if (!["input", "previous_response_id", "prompt", "conversation"].some((name) => body.has(name))) {
    reject(
      "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be provided.",
      "input",
      "missing_required_parameter",
    );
  }
  if (typeof value.input !== "string") checkInput(body, official);
  checkSampling(body);
  for (const name of ["stream", "store", "background", "parallel_tool_calls"]) body.boolean(name);
  if (body.has("stream_options") && value.stream !== true) {
    reject(
      "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
      "stream_options",
    );
  }
  body.strings("include");
  body.choice("truncation", ["auto", "disabled"]);
  const metadata = body.object("metadata");
  for (const name of Object.keys(metadata?.value ?? {})) metadata!.string(name);
  checkTools(body, official);
  checkText(body, official);
}

/** Checks a body as OpenAI does. Returns the first mistake. */
export function validate(body: Json): ServerError | undefined {
  return problemOf(() => checkBody(body));
}
