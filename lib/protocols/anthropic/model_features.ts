/**
 * Lists what each generation of Claude accepts.
 *
 * Sources: Anthropic's documentation of extended and adaptive thinking, effort and mid-conversation
 * system messages, and the types of `@anthropic-ai/sdk` 1.12 (November 2026). A live model list reports
 * the same under `capabilities`. Output limits: Anthropic's "Models overview".
 *
 * @module
 */

/** What a model accepts. */
export interface ClaudeModel {
  /** How thinking is requested: with a budget, adaptively, or either. */
  thinking: "none" | "budget" | "adaptive" | "both";
  /** How thinking is turned off: by omitting it, by a type, or not at all. */
  off: "omit" | "disabled" | "between_tools" | "never";
  /** Whether temperature, top_p and top_k may be anything, or only their defaults. */
  sampling: "any" | "defaults";
  /** Whether a tool can be forced. */
  forcedTools: boolean;
  /** Whether effort has a level between `high` and `max`. */
  xhigh: boolean;
  /** Whether `messages` may contain system messages after the first turn. */
  systemTurns: boolean;
  /** The default token limit; Claude requires one in each request. */
  maxTokens: number;
  /** Maximum output tokens. */
  outputLimit: number;
  /** Whether these rules are certain, so that violations are rejected before sending. */
  isKnown: boolean;
}

const OLD: ClaudeModel = {
  thinking: "none",
  off: "omit",
  sampling: "any",
  forcedTools: true,
  xhigh: false,
  systemTurns: false,
  maxTokens: 4096,
  outputLimit: 4096,
  isKnown: true,
};
const BUDGET: ClaudeModel = { ...OLD, thinking: "budget", maxTokens: 16_384, outputLimit: 64_000 };
const BOTH: ClaudeModel = { ...BUDGET, thinking: "both", outputLimit: 128_000 };
const ADAPTIVE: ClaudeModel = {
  ...BOTH,
  thinking: "adaptive",
  off: "disabled",
  sampling: "defaults",
  xhigh: true,
  systemTurns: true,
};
const ALWAYS: ClaudeModel = { ...ADAPTIVE, off: "never" };
/** Another model behind a compatible server: the oldest form of thinking, and nothing is rejected. */
const FOREIGN: ClaudeModel = {
  ...BUDGET,
  off: "disabled",
  systemTurns: true,
  isKnown: false,
};
/** A Claude newer than this list. */
const UNLISTED: ClaudeModel = { ...ADAPTIVE, thinking: "both", sampling: "any", isKnown: false };

/** The end of a version: no further digit and no minor version, but a date may follow. */
const END = "(?!\\d|-\\d{1,2}(?!\\d))";

function row(pattern: string, model: ClaudeModel): [RegExp, ClaudeModel] {
  return [new RegExp(pattern), model];
}

/** The models; the first matching pattern wins. */
const MODELS: readonly [pattern: RegExp, model: ClaudeModel][] = [
  row("claude-(3-haiku|3-opus|3-sonnet|v?2|instant)", OLD),
  row("claude-3-5", { ...OLD, maxTokens: 8192, outputLimit: 8192 }),
  row("claude-3-7", BUDGET),
  row(`claude-opus-4(-[01])?${END}`, { ...BUDGET, outputLimit: 32_000 }),
  row(`claude-(opus|sonnet|haiku)-4(-[0-5])?${END}`, BUDGET),
  row(`claude-(opus|sonnet)-4-6${END}`, BOTH),
  row(`claude-opus-4-7${END}`, { ...ADAPTIVE, off: "omit", systemTurns: false }),
  row(`claude-opus-4-8${END}`, { ...ADAPTIVE, off: "omit" }),
  row("claude-mythos-preview", { ...ALWAYS, systemTurns: false }),
  row("claude-opus-5-5|claude-fable-5-[1-9]", { ...ALWAYS, forcedTools: false }),
  row("claude-(fable|mythos)-5", ALWAYS),
  row(`claude-sonnet-5-5${END}`, { ...ADAPTIVE, off: "between_tools", forcedTools: false }),
  row(`claude-sonnet-5${END}`, { ...ADAPTIVE, systemTurns: false }),
  row(`claude-haiku-5-5${END}|claude-(opus|haiku)-5${END}`, ADAPTIVE),
];

/**
 * What `model` accepts, by any of its spellings: `claude-opus-4-5@20251101` (Vertex AI),
 * `anthropic.claude-opus-4-6-v1` (Bedrock), `anthropic/claude-opus-4.6` (OpenRouter).
 */
export function claudeModel(model: string): ClaudeModel {
  const name = model.toLowerCase().replaceAll(".", "-");
  return MODELS.find(([pattern]) => pattern.test(name))?.[1] ??
    (name.includes("claude-") ? UNLISTED : FOREIGN);
}
