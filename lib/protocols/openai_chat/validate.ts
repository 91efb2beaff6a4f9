/**
 * Validates chat completion bodies as OpenAI does, except for the rules of individual models.
 *
 * Source: OpenAI API reference, "Create chat completion", and the types of the `openai` package 7.57.
 *
 * @module
 */
import type { Json } from "../../json/json.ts";
import { Fields, problemOf, reject } from "../body_checks.ts";
import type { ServerError } from "../serve.ts";
import { isOpenAIModel, openaiWording as wording } from "./validate_wording.ts";
import { checkMessages } from "./validate_messages.ts";
import {
  checkFunction,
  checkName,
  checkStrict,
  checkToolExists,
  checkToolsExist,
} from "./validate_tools.ts";

const KNOWN: ReadonlySet<string> = new Set([
  ...["messages", "model", "audio", "frequency_penalty", "function_call", "functions"],
  ...["logit_bias", "logprobs", "max_completion_tokens", "max_tokens", "metadata", "modalities"],
  ...["moderation", "n", "parallel_tool_calls", "prediction", "presence_penalty"],
  ...["prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning_effort"],
  ...["response_format", "safety_identifier", "seed", "service_tier", "stop", "store", "stream"],
  ...["stream_options", "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user"],
  ...["verbosity", "web_search_options"],
  // Fields that flexllm sends to compatible services and unknown servers.
  ...["top_k", "min_p", "enable_thinking", "thinking_budget", "thinking", "chat_template_kwargs"],
  ...["reasoning", "random_seed", "extra_body", "repetition_penalty"],
]);

/** OpenAI's efforts, and those that only DeepSeek and Groq support. */
const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
const OTHER_EFFORTS = [...EFFORTS, "ultra", "default"];
const TIERS = ["auto", "default", "flex", "scale", "priority", "fast"];

function checkTools(body: Fields, official: boolean): void {
  checkToolsExist(body);
  const names: unknown[] = [];
  for (const tool of body.objects("tools") ?? []) {
    const type = tool.required("type").string("type")!;
    // OpenAI has no built-in tools here. Other services do, such as web search.
    if (official) tool.choice("type", ["function", "custom"]);
    if (type !== "function" && type !== "custom") continue;
    const defined = tool.required(type).object(type)!;
    if (type === "function") checkFunction(defined, official);
    else checkName(defined);
    names.push(defined.value.name);
  }
  const { tool_choice: choice } = body.value;
  if (typeof choice === "string") {
    body.choice("tool_choice", ["none", "auto", "required", ...(official ? [] : ["any"])]);
    return;
  }
  const chosen = body.object("tool_choice");
  if (chosen === undefined) return;
  const type = chosen.required("type").choice("type", ["function", "custom", "allowed_tools"])!;
  const named = chosen.required(type).object(type);
  if (type !== "allowed_tools") return checkToolExists(named?.value.name, names, type);
  named?.required("mode", "tools").choice("mode", ["auto", "required"]);
  for (const tool of named?.objects("tools", 1) ?? []) {
    const allowed = tool.object("function") ?? tool.object("custom");
    if (allowed !== undefined) checkToolExists(allowed.value.name, names, type);
  }
}

function checkFormat(body: Fields, official: boolean): void {
  const format = body.object("response_format");
  if (format === undefined) return;
  const type = format.required("type").choice("type", ["text", "json_object", "json_schema"]);
  if (official && type === "json_object" && !/json/i.test(JSON.stringify(body.value.messages))) {
    reject(
      "'messages' must contain the word 'json' in some form, to use 'response_format' of type " +
        "'json_object'.",
      "messages",
    );
  }
  if (type !== "json_schema") return;
  const given = format.required("json_schema").object("json_schema")!;
  checkName(given);
  given.boolean("strict");
  const schema = given.object("schema")?.value;
  if (official && given.value.strict === true && schema !== undefined) {
    checkStrict(schema, `response_format '${given.value.name}'`, "response_format");
  }
}

function checkSampling(body: Fields): void {
  body.number("temperature", 0, 2);
  body.number("top_p", 0, 1);
  body.number("frequency_penalty", -2, 2);
  body.number("presence_penalty", -2, 2);
  body.integer("seed");
  body.integer("n", 1, 128);
  body.integer("max_tokens", 1);
  body.integer("max_completion_tokens", 1);
  if (body.has("max_tokens") && body.has("max_completion_tokens")) {
    reject(
      "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
      "max_tokens",
    );
  }
  if (typeof body.value.stop !== "string") body.strings("stop", 1, 4);
  body.boolean("logprobs");
  body.integer("top_logprobs", 0, 20);
  if (body.has("top_logprobs") && body.value.logprobs !== true) {
    reject(
      "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
      "top_logprobs",
    );
  }
  const bias = body.object("logit_bias");
  for (const token of Object.keys(bias?.value ?? {})) bias!.number(token, -100, 100);
}

function checkBody(value: Json): void {
  const body = new Fields(wording, value);
  if (typeof value.model !== "string" || value.model === "") {
    if (value.model === undefined) reject("you must provide a model parameter", "model");
    if (value.model !== "") wording.type("model", "string", value.model);
    reject("invalid model ID", "model");
  }
  const official = isOpenAIModel(value.model);
  checkMessages(
    body.required("messages").objects("messages", 1) ?? wording.missing("messages"),
    official,
  );
  if (official) {
    const unknown = body.unknown(KNOWN);
    if (unknown !== undefined) reject(`Unrecognized request argument supplied: ${unknown}`);
  }
  checkSampling(body);
  body.boolean("stream");
  const streaming = body.object("stream_options");
  if (streaming !== undefined && value.stream !== true) {
    reject(
      "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
      "stream_options",
    );
  }
  streaming?.boolean("include_usage");
  body.boolean("parallel_tool_calls");
  body.boolean("store");
  if (body.has("reasoning_effort")) {
    const efforts = official ? EFFORTS : OTHER_EFFORTS;
    body.choice("reasoning_effort", efforts);
  }
  if (official) body.choice("service_tier", TIERS);
  body.choice("verbosity", ["low", "medium", "high"]);
  const metadata = body.object("metadata");
  for (const name of Object.keys(metadata?.value ?? {})) metadata!.string(name);
  checkTools(body, official);
  checkFormat(body, official);
}

/** Checks a body as OpenAI does. Returns the first mistake. */
export function validate(body: Json): ServerError | undefined {
  return problemOf(() => checkBody(body));
}
