/**
 * Lists what each generation of Gemini accepts.
 *
 * Sources: Gemini API documentation, "Thinking" (budgets of Gemini 2.5; `thinkingBudget` is accepted by
 * Gemini 3 for compatibility) and "Thought signatures"; the model catalog of `@ai-sdk/google` (levels of
 * the newest models); reports of errors (November 2026).
 *
 * @module
 */

/** A thinking level, as the API names it. */
export type GeminiLevel = "MINIMAL" | "LOW" | "MEDIUM" | "HIGH" | "XHIGH";

/** What a model accepts. */
export interface GeminiModel {
  /** How a thinking level is sent: not at all, as a token budget, or by name. */
  thinking: "none" | "budget" | "level";
  /** The levels that it accepts by name; empty for budgets. */
  levels: readonly GeminiLevel[];
  /** The maximum thinking budget in tokens; 0 if budgets are rejected. */
  maxBudget: number;
  /** Whether thinking can be turned off. */
  canTurnOff: boolean;
  /** Whether temperature, topP, topK and penalties have an effect. */
  sampling: boolean;
  /**
   * Whether it is Gemini 3 or later: it requires a signature with function calls, accepts media in function
   * responses, and combines built-in tools with functions.
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
/** An unlisted model: everything is sent, and the server decides. */
const UNKNOWN: GeminiModel = {
  ...LEVEL,
  levels: ["MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"],
  canTurnOff: true,
};

/** The models; the first matching pattern wins. */
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

/** What `model` accepts. Nothing is rejected for unknown models, which may be tuned ones. */
export function geminiModel(model: string): GeminiModel {
  return MODELS.find(([pattern]) => pattern.test(model))?.[1] ?? { ...UNKNOWN, isGemini3: false };
}
