/**
 * Rewrites the options of a request for another API and model.
 *
 * @module
 */
import type { SamplingOptions, ToolChoice } from "../../../chat/options.ts";
import { asObject, type Json } from "../../../json/json.ts";
import { claudeModel } from "../../../protocols/anthropic/model_features.ts";
import { geminiModel } from "../../../protocols/gemini/model_features.ts";
import { openaiEfforts } from "../../../protocols/openai_model_features.ts";
import type { ServerRequest } from "../../../protocols/serve.ts";
import { outputLimitOf } from "../../output_limit.ts";
import { fieldOf } from "./fields/client_fields.ts";
import { unsupportedField } from "./fields/field_rules.ts";
import { formatFor } from "./response_format.ts";
import { isAnthropic, type Target } from "./target.ts";
import { thinkingFor, withoutBudget } from "./thinking.ts";

/** Options whose defaults mean the same as their absence. */
const DEFAULTS: Partial<Record<keyof SamplingOptions, unknown>> = {
  temperature: 1,
  topP: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
};

/**
 * Values of `topP` that leave nearly all tokens, which models that think reject nevertheless. Gemini CLI sends
 * 0.95 with every request.
 */
const NEARLY_ALL = 0.95;

/** The options that the target does not have, and that only nudge the choice of tokens. */
function unknownHints(options: SamplingOptions, target: Target): (keyof SamplingOptions)[] {
  const { topP } = options;
  const nearlyAll = topP !== undefined && topP >= NEARLY_ALL ? ["topP" as const] : [];
  switch (target.protocol.name) {
    case "claude": {
      const isFixed = claudeModel(target.model).sampling === "defaults" || options.thinking;
      return isFixed ? ["seed", "topK", ...nearlyAll] : ["seed"];
    }
    case "responses":
      return ["seed", "topK", ...openaiEfforts(target.model) === undefined ? [] : nearlyAll];
    case "gemini":
      return geminiModel(target.model).sampling ? [] : ["topK", ...nearlyAll];
    default:
      if (!target.isOpenAI) return [];
      return ["topK", ...openaiEfforts(target.model) === undefined ? [] : nearlyAll];
  }
}

/** A limit that servers accept for OpenAI's models whose maximum is unknown. */
const OPENAI_LIMIT = 100_000;

/** OpenAI's smallest limit in Responses. */
const MIN_RESPONSES_TOKENS = 16;

/** The highest limit that the model's server accepts. */
function outputLimit({ model }: Target): number {
  const known = outputLimitOf(model);
  if (known !== undefined) return known;
  return /^(.*\/)?(gpt-|o\d)/.test(model) ? OPENAI_LIMIT : Infinity;
}

/** The client's maximum, within what the model's server accepts: the answer cannot be longer anyway. */
function maxTokensFor(given: number | undefined, target: Target): number | undefined {
  if (given === undefined) return undefined;
  const least = target.protocol.name === "responses" ? MIN_RESPONSES_TOKENS : 1;
  return Math.max(Math.min(given, outputLimit(target)), Math.min(least, 16));
}

/** What the options depend on in the conversation. */
export interface History {
  /** Whether the model has answered before, so that the next request repeats this one. */
  isContinued: boolean;
  /** Whether the client marks prefixes to cache. */
  hasCacheMarks: boolean;
  /** Whether the conversation continues after tool calls without the thinking that led to them. */
  lacksThinking: boolean;
}

/** Whether to let Anthropic cache the prompt; compatible servers may not know the field. */
function isCached({ endpoint }: Target, { isContinued, hasCacheMarks }: History): boolean {
  return isContinued && !hasCacheMarks && isAnthropic(endpoint);
}

/** Log probabilities and verbosity, which OpenAI and Google have in different fields. */
function otherFields(
  request: ServerRequest,
  target: Target,
  history: History,
  client: string,
  dropped: Set<string>,
): Json {
  const fields: Json = {};
  const { topLogprobs, body } = request;
  const verbosity = asObject(body.text)?.verbosity ?? body.verbosity;
  switch (target.protocol.name) {
    case "claude":
      if (topLogprobs !== undefined) {
        throw unsupportedField(fieldOf("logprobs", client), "Claude has no log probabilities");
      }
      // Clients of other formats rely on caching without marks. It costs more for a prompt that is sent once.
      if (isCached(target, history)) fields.cache_control = { type: "ephemeral" };
      break;
    case "gemini":
      if (topLogprobs !== undefined) {
        fields.generationConfig = { responseLogprobs: true, logprobs: topLogprobs };
      }
      break;
    case "responses":
      if (topLogprobs !== undefined) {
        fields.include = ["message.output_text.logprobs"];
        if (topLogprobs > 0) fields.top_logprobs = topLogprobs;
      }
      if (verbosity !== undefined) fields.text = { verbosity };
      return fields;
    default:
      if (topLogprobs !== undefined) {
        fields.logprobs = true;
        fields.top_logprobs = topLogprobs;
      }
      if (verbosity !== undefined && target.isOpenAI) fields.verbosity = verbosity;
  }
  if (verbosity !== undefined && fields.verbosity === undefined) {
    dropped.add(fieldOf("verbosity", client));
  }
  return fields;
}

/** The text that asks for JSON where the API has no JSON mode without a schema. */
export const JSON_INSTRUCTION =
  "Answer with one JSON object and nothing else: no explanation, no Markdown.";

/**
 * Whether a request for any JSON object has to be made in words as well. OpenAI demands that, and so do its own
 * clients; Anthropic has no other way.
 */
export function needsJsonInstruction(
  { responseFormat }: SamplingOptions,
  target: Target,
  client: string,
): boolean {
  if (responseFormat?.type !== "json_object") return false;
  const { name } = target.protocol;
  return name === "claude" || client === "gemini" && (name === "responses" || target.isOpenAI);
}

/** Rejects stop sequences that Claude would reject. */
function checkStop(stop: SamplingOptions["stop"], target: Target, client: string): void {
  if (stop === undefined || target.protocol.name !== "claude") return;
  const sequences: readonly unknown[] = Array.isArray(stop) ? stop : [stop];
  if (!sequences.some((text) => typeof text === "string" && text.trim() === "")) return;
  const field = fieldOf("stop", client);
  throw unsupportedField(field, `${field}: Claude accepts no stop sequence of only white space`);
}

/**
 * Rewrites the options of a request except tools.
 *
 * @param client the name of the client's format
 * @throws {GatewayError} for what cannot be sent
 */
export function sentOptions(
  request: ServerRequest,
  target: Target,
  toolChoice: ToolChoice | undefined,
  history: History,
  client: string,
  dropped: Set<string>,
): SamplingOptions {
  const drop = (option: string) => dropped.add(fieldOf(option, client));
  const { tools: _tools, toolChoice: _choice, extraBody: _extra, ...options } = {
    ...request.chat.options,
  };
  const format = target.protocol.name;
  for (const name of Object.keys(DEFAULTS) as (keyof typeof options)[]) {
    if (options[name] === DEFAULTS[name]) delete options[name];
  }
  if (options.parallelToolCalls === false && format === "gemini") drop("parallelToolCalls");
  if (format === "gemini" || toolChoice === "none") delete options.parallelToolCalls;
  if (options.responseFormat?.type === "json_object" && format === "claude") {
    delete options.responseFormat;
  }
  checkStop(options.stop, target, client);
  options.responseFormat = formatFor(options.responseFormat, target, client, dropped);
  options.maxTokens = maxTokensFor(options.maxTokens, target);
  const wanted = options.thinking;
  options.thinking = thinkingFor(wanted, target, options.maxTokens);
  const isForced = toolChoice === "required" || typeof toolChoice === "object";
  if (format === "claude" && options.thinking && (history.lacksThinking || isForced)) {
    options.thinking = withoutBudget(options.thinking, target, options.maxTokens);
  }
  if (Boolean(options.thinking) !== Boolean(wanted)) drop("thinking");
  for (const name of unknownHints(options, target)) {
    if (options[name as keyof typeof options] === undefined) continue;
    drop(name);
    delete options[name as keyof typeof options];
  }
  const fields = otherFields(request, target, history, client, dropped);
  const sent: SamplingOptions = { ...options };
  for (const name of Object.keys(sent) as (keyof SamplingOptions)[]) {
    if (sent[name] === undefined) delete sent[name];
  }
  if (Object.keys(fields).length > 0) sent.extraBody = fields;
  return sent;
}
