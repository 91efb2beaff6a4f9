/**
 * Cuts one page out of a list of models, as the query of a request asks for it. Without a size, the page is the
 * whole rest of the list.
 *
 * @module
 */
import { InvalidInputError } from "../errors.ts";
import type { ServedModel } from "./serve.ts";

/** Where a page is, in the spelling of one format. */
export interface PageQuery {
  /** The parameter with the maximum number of models. */
  size: string;
  /** The parameter with the id that the page begins after. */
  after: string;
  /** The parameter with the id that the page ends before. */
  before?: string;
}

/** A part of a list of models. */
export interface ModelPage {
  models: readonly ServedModel[];
  /** Whether the list continues in the direction of the page. */
  hasMore: boolean;
}

function sizeOf(query: URLSearchParams, name: string): number {
  const text = query.get(name);
  if (!text) return Infinity;
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new InvalidInputError(`${name} must be an integer of at least 1, got "${text}"`);
}

/** The index of the model that a parameter names; `undefined` without it. */
function indexOf(
  models: readonly ServedModel[],
  query: URLSearchParams,
  name: string | undefined,
): number | undefined {
  const id = name === undefined ? null : query.get(name);
  if (!id) return undefined;
  const index = models.findIndex((model) => model.id === id);
  // The list may have changed since the page before. Starting over would never end.
  if (index === -1) throw new InvalidInputError(`${name}: the list has no model "${id}"`);
  return index;
}

/**
 * Returns the page of `models` that `query` asks for.
 *
 * @throws {InvalidInputError} if the size is no positive integer, or the page begins at an unknown model
 */
export function pageOf(
  models: readonly ServedModel[],
  query: URLSearchParams | undefined,
  names: PageQuery,
): ModelPage {
  if (query === undefined) return { models, hasMore: false };
  const size = sizeOf(query, names.size);
  const after = indexOf(models, query, names.after);
  const before = indexOf(models, query, names.before);
  const rest = models.slice(after === undefined ? 0 : after + 1, before);
  const isBackward = before !== undefined && after === undefined;
  const page = isBackward ? rest.slice(Math.max(0, rest.length - size)) : rest.slice(0, size);
  return { models: page, hasMore: page.length < rest.length };
}
