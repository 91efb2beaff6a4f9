/**
 * Reads a server's list of models, page by page.
 *
 * @module
 */
import { MalformedResponseError } from "../errors.ts";
import type { ModelInfo } from "../protocols/protocol.ts";

/** One page of a list of models. */
export interface ModelPage {
  models: ModelInfo[];
  /** Where the next page begins; absent on the last page. */
  next?: string;
}

/**
 * Returns the models of all pages.
 *
 * @throws {MalformedResponseError} if the server sends the same page twice
 */
export async function listModels(
  fetchPage: (cursor: string | undefined) => Promise<ModelPage>,
): Promise<ModelInfo[]> {
  const cursors = new Set<string>();
  let { models, next } = await fetchPage(undefined);
  const all = [...models];
  while (next !== undefined) {
    if (cursors.has(next)) {
      throw new MalformedResponseError(
        `the server's list of models repeats itself: it sent the page "${next}" twice`,
      );
    }
    cursors.add(next);
    ({ models, next } = await fetchPage(next));
    all.push(...models);
  }
  return all;
}
