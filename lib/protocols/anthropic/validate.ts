/**
 * Validates request bodies as Anthropic does, except for the rules of individual models.
 *
 * Source: Anthropic API reference, "Messages", "Extended thinking" and the notes on version 2026-10-21,
 * the types of `@anthropic-ai/sdk` 1.12, and error messages as users report them.
 *
 * @module
 */
import type { Json } from "../../json/json.ts";
import { anthropicWording as wording, isClaudeModel } from "./validate_wording.ts";
import { Fields, problemOf, reject } from "../body_checks.ts";
import type { RequestContext, ServerError } from "../serve.ts";
import { checkSystem, checkTurns } from "./validate_messages.ts";

const KNOWN: ReadonlySet<string> = new Set([
  ...["max_tokens", "messages", "model", "cache_control", "container", "diagnostics"],
  ...["inference_geo", "metadata", "output_config", "service_tier", "speed", "stop_sequences"],
  ...["stream", "system", "thinking", "tool_choice", "tools", "temperature", "top_p", "top_k"],
  // Beta fields.
  ...["mcp_servers", "context_management", "output_format", "fallbacks", "thread", "betas"],
]);

const TOOL_NAME = /^[a-zA-Z0-9_-]{1,128}$/;
/** Types of tools that Anthropic defines: they end with a date. */
const DEFINED_TOOL = /_\d{8}$|^tool_search_tool_(bm25|regex)$|^mcp_toolset$/;
const EFFORTS = ["low", "medium", "high", "xhigh", "max"];
const THINKING = ["enabled", "disabled", "between_tools", "adaptive"];
/** The first version without sampling parameters. */
const WITHOUT_SAMPLING = "2026-10-21";

function checkTool(tool: Fields): void {
  const type = tool.string("type") ?? "custom";
  if (type !== "custom") {
    if (!DEFINED_TOOL.test(type)) {
      reject(
        `${tool.path}: Input tag '${type}' found using 'type' does not match any of the expected tags`,
      );
    }
    if (!type.includes("toolset")) tool.required("name").string("name");
    return;
  }
  const custom = new Fields(wording, tool.value, `${tool.path}.custom`).required("name");
  if (!TOOL_NAME.test(custom.string("name")!)) {
    reject(`${custom.at("name")}: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`);
  }
  custom.string("description");
  custom.requiredObject("input_schema").required("type").choice("type", ["object"]);
  custom.boolean("strict");
}

function checkTools(body: Fields): void {
  const tools = body.objects("tools") ?? [];
  tools.forEach(checkTool);
  const names = tools.map(({ value }) => value.name).filter((name) => name !== undefined);
  if (new Set(names).size < names.length) reject("tools: Tool names must be unique.");
  const choice = body.object("tool_choice");
  if (choice === undefined) return;
  const type = choice.required("type").choice("type", ["auto", "any", "tool", "none"]);
  if (tools.length === 0) reject("tool_choice may only be specified while providing tools");
  choice.boolean("disable_parallel_tool_use");
  if (type !== "tool") return;
  const name = choice.required("name").string("name")!;
  if (!names.includes(name)) reject(`Tool '${name}' not found in provided tools`);
}

function checkThinking(body: Fields, isCount: boolean): void {
  const thinking = body.object("thinking");
  const type = thinking?.required("type").choice("type", THINKING);
  if (type !== "enabled") return;
  const enabled = new Fields(wording, thinking!.value, "thinking.enabled").required(
    "budget_tokens",
  );
  const budget = enabled.integer("budget_tokens", 1024)!;
  const { max_tokens: max, temperature, top_k, top_p, tool_choice: choice } = body.value;
  if (!isCount && (max as number) <= budget) {
    reject("`max_tokens` must be greater than `thinking.budget_tokens`.");
  }
  const chosen = (choice as Json | undefined)?.type;
  if (chosen === "any" || chosen === "tool") {
    reject("Thinking may not be enabled when tool_choice forces tool use.");
  }
  if (temperature !== undefined && temperature !== 1) {
    reject("`temperature` may only be set to 1 when thinking is enabled.");
  }
  if (top_k !== undefined) reject("`top_k` must be unset when thinking is enabled.");
  if (typeof top_p === "number" && top_p < 0.95) {
    reject(
      "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.",
    );
  }
}

function checkSampling(body: Fields, version: string | undefined): void {
  if (version !== undefined && version >= WITHOUT_SAMPLING) {
    const given = ["temperature", "top_p", "top_k"].find((name) => body.value[name] !== undefined);
    if (given !== undefined) {
      reject(`${given}: not supported with anthropic-version ${version}; leave it out`);
    }
  }
  body.number("temperature", 0, 1);
  body.number("top_p", 0, 1);
  body.integer("top_k", 0);
  for (const [i, stop] of (body.strings("stop_sequences") ?? []).entries()) {
    if (stop.trim() === "") {
      reject(`stop_sequences.${i}: each stop sequence must contain non-whitespace`);
    }
  }
}

function checkOutput(body: Fields): void {
  const output = body.object("output_config");
  output?.choice("effort", EFFORTS);
  const format = output?.object("format");
  if (format === undefined) return;
  format.required("type").choice("type", ["json_schema"]);
  format.requiredObject("schema");
}

function checkBody(value: Json, { version, operation }: RequestContext): void {
  const isCount = operation === "count_tokens";
  const body = new Fields(wording, value);
  body.required("model").string("model");
  if (value.model === "") reject("model: String should have at least 1 character");
  if (!isCount) {
    // With 0, the request only fills the prompt cache.
    body.required("max_tokens").integer("max_tokens", 0);
  }
  const unknown = isClaudeModel(value.model) ? body.unknown(KNOWN) : undefined;
  if (unknown !== undefined) reject(`${unknown}: Extra inputs are not permitted`);
  const breakpoints = { count: 0 };
  checkSystem(body, breakpoints);
  for (const tool of body.objects("tools") ?? []) {
    if (tool.has("cache_control")) breakpoints.count++;
  }
  checkTurns(body, breakpoints, version !== undefined && version >= WITHOUT_SAMPLING);
  if (breakpoints.count > 4) {
    reject(
      `A maximum of 4 blocks with cache_control may be provided. Found ${breakpoints.count}.`,
    );
  }
  body.boolean("stream");
  checkSampling(body, version);
  checkTools(body);
  checkThinking(body, isCount);
  checkOutput(body);
  body.object("metadata")?.string("user_id");
  body.choice("service_tier", ["auto", "standard_only"]);
  body.choice("speed", ["standard", "fast"]);
}

/** Checks a body as Anthropic does. Returns the first mistake. */
export function validate(body: Json, context: RequestContext): ServerError | undefined {
  return problemOf(() => checkBody(body, context));
}
