/**
 * Lists the models of an Anthropic API, page by page.
 *
 * Source: Anthropic API reference, "List Models" (`after_id`, `has_more`).
 *
 * @module
 */
import { asNumber, asObject, asObjects, asText } from "../../json/json.ts";
import { modelInfo } from "../model_info.ts";
import type { ModelList } from "../protocol.ts";
import { requestHeaders, requestUrl } from "../request.ts";

/** Anthropic's list. */
export const modelList: ModelList = {
  request: (endpoint, cursor) => ({
    url: requestUrl(endpoint, "/models", { limit: "1000", after_id: cursor }),
    headers: requestHeaders(endpoint, "x-api-key", { "anthropic-version": "2026-10-21" }),
  }),
  decode(body) {
    const page = asObject(body) ?? {};
    const models = asObjects(page.data).map((model) =>
      modelInfo({
        id: asText(model.id) ?? "",
        displayName: asText(model.display_name),
        contextWindow: asNumber(model.max_input_tokens),
        maxOutputTokens: asNumber(model.max_tokens),
      })
    );
    return { models, next: page.has_more === true ? asText(page.last_id) : undefined };
  },
};
