/**
 * Encodes Gemini's model list.
 *
 * Source: Gemini API reference, "models.list".
 *
 * @module
 */
import { pageOf } from "../model_pages.ts";
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

const PAGE = { size: "pageSize", after: "pageToken" };

/** Encodes a page of the model list. The token of the next one is the last model of this one. */
export function encodeModels(all: readonly ServedModel[], query?: URLSearchParams) {
  const { models, hasMore } = pageOf(all, query, PAGE);
  const page = { models: models.map(encodeModel) };
  return hasMore ? { ...page, nextPageToken: models.at(-1)!.id } : page;
}
