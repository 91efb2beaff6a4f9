/**
 * What each generation of Gemini accepts.
 *
 * Sources: Gemini API documentation, "Thinking" (budgets of Gemini 2.5; `thinkingBudget` is accepted by
 * Gemini 3 for compatibility) and "Thought signatures"; the model catalog of `@ai-sdk/google` (levels of
 * the newest models); reports of errors (November 2026).
 *
 * @module
 */

/** A level of thinking, as the API names it. */
export type GeminiLevel = "MINIMAL" | "LOW" | "MEDIUM" | "HIGH" | "XHIGH";

/** What one model accepts. */
export interface GeminiModel {
  /** How levels of thinking are sent: not at all, as a budget of tokens, or by name. */
  thinking: "none" | "budget" | "level";
  /** The names of the levels; empty for budgets. */
  levels: readonly GeminiLevel[];
  /** The largest budget of thinking tokens; 0 where budgets are refused. */
  maxBudget: number;
  /** Whether thinking can be turned off. */
  canTurnOff: boolean;
  /** Whether temperature, topP, topK and penalties have an effect. */
  sampling: boolean;
  /**
   * Gemini 3 or later: wants a signature with function calls, takes media in function responses, and
   * allows built-in tools beside functions.
   */
  isGemini3: boolean;
}

const BUDGET: GeminiModel = {
  thinking: "budget",
  levels: [],
  maxBudget: 24_576,
  canTurnOff: true,
  sampling: true,
  isGemini3: false,
};
const NONE: GeminiModel = { ...BUDGET, thinking: "none", maxBudget: 0 };
const LEVEL: GeminiModel = {
  thinking: "level",
  levels: ["MINIMAL", "LOW", "MEDIUM", "HIGH"],
  maxBudget: 32_768,
  canTurnOff: false,
  sampling: true,
  isGemini3: true,
};
const NOT_MINIMAL: GeminiModel = { ...LEVEL, levels: ["LOW", "MEDIUM", "HIGH"] };
const GEMINI_4: GeminiModel = { ...NOT_MINIMAL, maxBudget: 0, sampling: false };
/** The server knows better than we do. */
const UNKNOWN: GeminiModel = {
  ...LEVEL,
  levels: ["MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"],
  canTurnOff: true,
};

/** The first row whose pattern fits counts. */
const MODELS: readonly [pattern: RegExp, model: GeminiModel][] = [
  [/gemini-(1|2\.0)|gemma-?[1-3]/, NONE],
  [/gemini-2\.5-pro/, { ...BUDGET, maxBudget: 32_768, canTurnOff: false }],
  [/gemini-2|gemini-robotics-er-1/, BUDGET],
  [/gemini-3-pro/, { ...LEVEL, levels: ["LOW", "HIGH"] }],
  [/gemini-3\.\d+-pro/, NOT_MINIMAL],
  [/gemini-3\.([7-9]|\d\d)-flash(?!-lite)|gemini-flash-latest/, NOT_MINIMAL],
  [/gemini-3/, LEVEL],
  [/gemini-4-hydrogen/, { ...GEMINI_4, levels: ["LOW", "MEDIUM", "HIGH", "XHIGH"] }],
  [/gemini-([4-9]|\d\d)/, GEMINI_4],
  // Aliases such as gemini-pro-latest.
  [/gemini|banana/, UNKNOWN],
];

/** What `model` accepts. Nothing is refused for unknown models, which may be tuned ones. */
export function geminiModel(model: string): GeminiModel {
  return MODELS.find(([pattern]) => pattern.test(model))?.[1] ?? { ...UNKNOWN, isGemini3: false };
}
