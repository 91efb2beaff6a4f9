/**
 * Builds the URLs of Gemini's methods, which contain the model.
 *
 * Source: Gemini API reference, "models"; Vertex AI, "Method: models.generateContent".
 *
 * @module
 */
import type { Endpoint } from "../protocol.ts";
import { requestUrl } from "../request.ts";

/** The resource name of a model; names of models that are not Google's own include their kind (`tunedModels/x`). */
export function resourceName(model: string): string {
  return model.includes("/") ? model : `models/${model}`;
}

/** The URL of a method of `model`. A streaming method sends server-sent events. */
export function methodUrl(endpoint: Endpoint, model: string, method: string): string {
  const path = resourceName(model).split("/").map(encodeURIComponent).join("/");
  const alt = method.startsWith("stream") ? "sse" : undefined;
  return requestUrl(endpoint, `/${path}:${method}`, { alt });
}
