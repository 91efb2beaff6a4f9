/**
 * Lists the models of a server that speaks OpenAI's format.
 *
 * Source: OpenAI API reference, "List models".
 *
 * @module
 */
import { asNumber, asObject, asObjects, asText } from "../../json/json.ts";
import { modelInfo } from "../model_info.ts";
import type { ModelList } from "../protocol.ts";
import { requestHeaders, requestUrl } from "../request.ts";

/** OpenAI's list, in one page. Some services also report the context window. */
export const modelList: ModelList = {
  request: (endpoint) => ({
    url: requestUrl(endpoint, "/models"),
    headers: requestHeaders(endpoint, "authorization"),
  }),
  decode(body) {
    const models = asObjects(asObject(body)?.data ?? body).map((model) =>
      modelInfo({
        id: asText(model.id) ?? "",
        // OpenRouter and Groq; vLLM.
        contextWindow: asNumber(model.context_length) ?? asNumber(model.context_window) ??
          asNumber(model.max_model_len),
      })
    );
    return { models };
  },
};
