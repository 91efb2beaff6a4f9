/**
 * The lists of models that providers offer.
 *
 * Sources: OpenAI API reference, "List models"; Anthropic API reference, "List Models" (`after_id`,
 * `has_more`); Gemini API reference, "models.list" (`pageToken`).
 *
 * @module
 */
import { asNumber, asObject, asObjects, asText, type Json } from "../json/json.ts";
import type { ModelInfo, ModelList } from "./protocol.ts";
import { requestHeaders, requestUrl } from "./request.ts";

function withoutUndefined(info: ModelInfo): ModelInfo {
  return Object.fromEntries(
    Object.entries(info).filter(([, value]) => value !== undefined),
  ) as unknown as ModelInfo;
}

/** OpenAI's list, in one page; some services tell the context as well. */
export const openaiModelList: ModelList = {
  request: (endpoint) => ({
    url: requestUrl(endpoint, "/models"),
    headers: requestHeaders(endpoint, "authorization"),
  }),
  decode(body) {
    const models = asObjects(asObject(body)?.data ?? body).map((model) =>
      withoutUndefined({
        id: asText(model.id) ?? "",
        // OpenRouter and Groq, vLLM.
        contextWindow: asNumber(model.context_length) ?? asNumber(model.context_window) ??
          asNumber(model.max_model_len),
      })
    );
    return { models };
  },
};

/** Anthropic's list. */
export const claudeModelList: ModelList = {
  request: (endpoint, cursor) => ({
    url: requestUrl(endpoint, "/models", { limit: "1000", after_id: cursor }),
    headers: requestHeaders(endpoint, "x-api-key", { "anthropic-version": "2026-10-21" }),
  }),
  decode(body) {
    const page = asObject(body) ?? {};
    const models = asObjects(page.data).map((model: Json) =>
      withoutUndefined({
        id: asText(model.id) ?? "",
        displayName: asText(model.display_name),
        contextWindow: asNumber(model.max_input_tokens),
        maxOutputTokens: asNumber(model.max_tokens),
      })
    );
    return { models, next: page.has_more === true ? asText(page.last_id) : undefined };
  },
};

/** Gemini's list; only models that generate text are in it. */
export const geminiModelList: ModelList = {
  request: (endpoint, cursor) => ({
    url: requestUrl(endpoint, "/models", { pageSize: "1000", pageToken: cursor }),
    headers: requestHeaders(endpoint, "x-goog-api-key"),
  }),
  decode(body) {
    const page = asObject(body) ?? {};
    const models = asObjects(page.models)
      .filter(({ supportedGenerationMethods: methods }) =>
        !Array.isArray(methods) || methods.includes("generateContent")
      )
      .map((model) =>
        withoutUndefined({
          id: (asText(model.name) ?? "").replace(/^models\//, ""),
          displayName: asText(model.displayName),
          contextWindow: asNumber(model.inputTokenLimit),
          maxOutputTokens: asNumber(model.outputTokenLimit),
        })
      );
    return { models, next: asText(page.nextPageToken) };
  },
};
