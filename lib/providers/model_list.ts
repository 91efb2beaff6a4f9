/**
 * The lists of models that providers offer.
 *
 * Sources: OpenAI API reference, "List models"; Anthropic API reference, "List Models" (`after_id`,
 * `has_more`); Gemini API reference, "models.list" (`pageToken`).
 *
 * @module
 */
import { asNumber, asObject, asObjects, asText, type Json } from "../json.ts";
import type { Endpoint, ModelInfo, ModelList } from "./provider.ts";

function keyHeaders(endpoint: Endpoint, name: string | undefined): Record<string, string> {
  const { apiKey, headers } = endpoint;
  if (apiKey === undefined) return { ...headers };
  const key = name === undefined ? { authorization: `Bearer ${apiKey}` } : { [name]: apiKey };
  return { ...key, ...headers };
}

function withoutUndefined(info: ModelInfo): ModelInfo {
  return Object.fromEntries(
    Object.entries(info).filter(([, value]) => value !== undefined),
  ) as unknown as ModelInfo;
}

function listUrl(endpoint: Endpoint, query: Record<string, string | undefined>): string {
  const url = new URL(endpoint.baseUrl);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/models`;
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url.href;
}

/** OpenAI's list, in one page; some services tell the context as well. */
export function openaiModelList(keyHeader?: string): ModelList {
  return {
    request: (endpoint) => ({
      url: listUrl(endpoint, {}),
      headers: keyHeaders(endpoint, keyHeader),
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
}

/** Anthropic's list. */
export const claudeModelList: ModelList = {
  request: (endpoint, cursor) => ({
    url: listUrl(endpoint, { limit: "1000", after_id: cursor }),
    headers: { "anthropic-version": "2026-10-21", ...keyHeaders(endpoint, "x-api-key") },
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
    url: listUrl(endpoint, { pageSize: "1000", pageToken: cursor }),
    headers: keyHeaders(endpoint, "x-goog-api-key"),
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
