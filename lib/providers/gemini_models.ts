/**
 * What each generation of Gemini accepts.
 *
 * Source: Gemini API documentation, "Thinking", and reports of its errors (November 2026).
 *
 * @module
 */

/** A level of thinking, as the API names it. */
export type GeminiLevel = "MINIMAL" | "LOW" | "MEDIUM" | "HIGH";

/** What one model accepts. */
export interface GeminiModel {
  /** How thinking is asked for: not at all, a budget of tokens, or a level. */
  thinking: "none" | "budget" | "level";
  /** The levels; empty for budgets. */
  levels: readonly GeminiLevel[];
  /** Whether thinking can be turned off. */
  canTurnOff: boolean;
  /** Whether temperature, topP, topK and penalties have an effect. */
  sampling: boolean;
}

const ALL: readonly GeminiLevel[] = ["MINIMAL", "LOW", "MEDIUM", "HIGH"];
const NONE: GeminiModel = { thinking: "none", levels: [], canTurnOff: true, sampling: true };
const BUDGET: GeminiModel = { thinking: "budget", levels: [], canTurnOff: true, sampling: true };
const LEVEL: GeminiModel = { thinking: "level", levels: ALL, canTurnOff: false, sampling: true };

/** The first row whose pattern fits counts. */
const MODELS: readonly [pattern: RegExp, model: GeminiModel][] = [
  [/gemini-(1|2\.0)|gemma/, NONE],
  [/gemini-2\.5-pro/, { ...BUDGET, canTurnOff: false }],
  [/gemini-2\.5/, BUDGET],
  [/gemini-3-pro/, { ...LEVEL, levels: ["LOW", "HIGH"] }],
  [/gemini-3\.\d-pro/, { ...LEVEL, levels: ["LOW", "MEDIUM", "HIGH"] }],
  [/gemini-3/, LEVEL],
];
const NEWEST: GeminiModel = { ...LEVEL, levels: ["LOW", "MEDIUM", "HIGH"], sampling: false };

/** What `model` accepts; one that is not known is taken for one of the newest. */
export function geminiModel(model: string): GeminiModel {
  return MODELS.find(([pattern]) => pattern.test(model))?.[1] ?? NEWEST;
}
