/**
 * Encodes Gemini's model list.
 *
 * Source: Gemini API reference, "models.list".
 *
 * @module
 */
import type { ServedModel } from "../serve.ts";

/** Encodes one model. */
export function encodeModel({ id, displayName, contextWindow, maxOutputTokens }: ServedModel) {
  return {
    name: `models/${id}`,
    baseModelId: id,
    displayName: displayName ?? id,
    version: "1",
    inputTokenLimit: contextWindow,
    outputTokenLimit: maxOutputTokens,
    supportedGenerationMethods: /embed/i.test(id)
      ? ["embedContent", "batchEmbedContents", "countTokens"]
      : ["generateContent", "countTokens"],
    temperature: 1,
    maxTemperature: 2,
    topP: 0.95,
    topK: 64,
    thinking: true,
  };
}

/** Encodes the model list. */
export function encodeModels(models: readonly ServedModel[]) {
  return { models: models.map(encodeModel) };
}
