/**
 * Encodes OpenAI's model list.
 *
 * Source: OpenAI API reference, "Models".
 *
 * @module
 */
import type { ServedModel } from "../serve.ts";

/** Encodes one model. */
export function encodeModel({ id }: ServedModel) {
  return { id, object: "model", created: 1700000000, owned_by: "flexllm" };
}

/** Encodes the model list. */
export function encodeModels(models: readonly ServedModel[]) {
  return { object: "list", data: models.map(encodeModel) };
}
