/**
 * Lists the models of the Gemini API that generate text, page by page.
 *
 * Source: Gemini API reference, "models.list" (`pageToken`).
 *
 * @module
 */
import { asNumber, asObject, asObjects, asText } from "../../json/json.ts";
import { modelInfo } from "../model_info.ts";
import type { ModelList } from "../protocol.ts";
import { requestHeaders, requestUrl } from "../request.ts";

/** Gemini's list, reduced to models that have `generateContent`. */
export const modelList: ModelList = {
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
        modelInfo({
          id: (asText(model.name) ?? "").replace(/^models\//, ""),
          displayName: asText(model.displayName),
          contextWindow: asNumber(model.inputTokenLimit),
          maxOutputTokens: asNumber(model.outputTokenLimit),
        })
      );
    return { models, next: asText(page.nextPageToken) };
  },
};
