/**
 * Merges the lists of models of several endpoints.
 *
 * @module
 */
import { AbortedError } from "../errors.ts";
import type { ModelInfo } from "../protocols/protocol.ts";

/**
 * Returns the models of all lists, each once, in the order of the lists. Skips lists that fail.
 *
 * @throws {AbortedError} if a list was cancelled
 * @throws {FlexLLMError} the first error, if all lists failed
 */
export async function mergeModels(lists: readonly Promise<ModelInfo[]>[]): Promise<ModelInfo[]> {
  if (lists.length === 1) return await lists[0];
  const settled = await Promise.allSettled(lists);
  const errors = settled.filter((list) => list.status === "rejected").map(({ reason }) => reason);
  const aborted = errors.find((error) => error instanceof AbortedError);
  if (aborted !== undefined || errors.length === lists.length) throw aborted ?? errors[0];
  const models = new Map<string, ModelInfo>();
  for (const list of settled) {
    if (list.status === "rejected") continue;
    for (const model of list.value) if (!models.has(model.id)) models.set(model.id, model);
  }
  return [...models.values()];
}
