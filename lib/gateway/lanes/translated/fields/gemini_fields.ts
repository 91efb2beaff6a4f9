/**
 * Lists what becomes of the fields of Gemini requests in other formats.
 *
 * Source: Gemini API reference, "models.generateContent", "GenerationConfig", and the types of
 * `@google/genai` 3.1.
 *
 * @module
 */
import { type FieldRules, refused } from "./field_rules.ts";

const OWN = "Use a Gemini model.";

function isTextOnly(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => item === "TEXT");
}

/** The rules, for a normalized body. */
export const GEMINI_FIELDS: FieldRules = {
  model: "carried",
  contents: "carried",
  systemInstruction: "carried",
  tools: "carried",
  toolConfig: { fields: { functionCallingConfig: "carried" } },
  generationConfig: {
    fields: {
      temperature: "carried",
      topP: "carried",
      topK: "carried",
      maxOutputTokens: "carried",
      stopSequences: "carried",
      seed: "carried",
      presencePenalty: "carried",
      frequencyPenalty: "carried",
      responseMimeType: "carried",
      responseSchema: "carried",
      responseJsonSchema: "carried",
      responseLogprobs: "carried",
      logprobs: "carried",
      thinkingConfig: {
        fields: { includeThoughts: "carried", thinkingBudget: "carried", thinkingLevel: "carried" },
      },
      candidateCount: refused("Send the request several times instead.", (value) => value === 1),
      responseModalities: refused(OWN, isTextOnly),
      speechConfig: refused(OWN),
      imageConfig: refused(OWN),
    },
  },
  cachedContent: refused("Send the cached content itself."),
};
