/**
 * What each generation of Claude accepts.
 *
 * Source: Anthropic's documentation of extended and adaptive thinking and the types of
 * `@anthropic-ai/sdk` 1.12 (November 2026). A live model list says the same under `capabilities`.
 *
 * @module
 */

/** What one model accepts. */
export interface ClaudeModel {
  /** How thinking is asked for: a budget, or a mode that the model adapts itself. */
  thinking: "none" | "budget" | "adaptive";
  /** How thinking is turned off: by leaving it out, by a word, or not at all. */
  off: "omit" | "disabled" | "between_tools" | "never";
  /** Whether temperature, top_p and top_k may be set. */
  sampling: boolean;
  /** Whether a tool can be forced. */
  forcedTools: boolean;
  /** The limit of tokens when none is given; Claude wants one in each request. */
  maxTokens: number;
}

const OLD: ClaudeModel = {
  thinking: "none",
  off: "omit",
  sampling: true,
  forcedTools: true,
  maxTokens: 4096,
};
const BUDGET: ClaudeModel = { ...OLD, thinking: "budget", maxTokens: 16_384 };
const ADAPTIVE: ClaudeModel = {
  thinking: "adaptive",
  off: "disabled",
  sampling: false,
  forcedTools: true,
  maxTokens: 16_384,
};
const ALWAYS: ClaudeModel = { ...ADAPTIVE, off: "never" };

/** The first row whose pattern fits counts. */
const MODELS: readonly [pattern: RegExp, model: ClaudeModel][] = [
  [/claude-(3-haiku|3-opus|3-sonnet|2|instant)/, OLD],
  [/claude-3-5/, { ...OLD, maxTokens: 8192 }],
  [/claude-3-7|claude-(opus|sonnet|haiku)-4(-[0-5])?(-\d{8}|@|$)/, BUDGET],
  [/claude-(opus|sonnet)-4-6/, { ...ADAPTIVE, off: "omit", sampling: true }],
  [/claude-opus-4-7/, { ...ADAPTIVE, off: "omit" }],
  [/claude-opus-4-8/, { ...ADAPTIVE, off: "omit" }],
  [/claude-mythos-preview/, ALWAYS],
  [/claude-opus-5-5|claude-fable-5-[1-9]/, { ...ALWAYS, forcedTools: false }],
  [/claude-(fable|mythos)-/, ALWAYS],
  [/claude-sonnet-5-5/, { ...ADAPTIVE, off: "between_tools", forcedTools: false }],
  [/claude-(opus|sonnet|haiku)-5/, ADAPTIVE],
];

/** What `model` accepts; one that is not known is taken for one of the newest. */
export function claudeModel(model: string): ClaudeModel {
  return MODELS.find(([pattern]) => pattern.test(model))?.[1] ?? ADAPTIVE;
}
