/**
 * Finds models by approximate names.
 *
 * @module
 */
import { distance } from "fastest-levenshtein";

/** A name without case and punctuation. */
function simplified(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, "");
}

/** Ranks a match: 0 exact, 1 prefix, 2 substring, 3 none. */
function rankOf(model: string, wanted: string): number {
  const name = simplified(model);
  if (name === wanted) return 0;
  if (name.startsWith(wanted)) return 1;
  return name.includes(wanted) ? 2 : 3;
}

/** The number of models of the same family from the row's vendor. */
function familySize<T extends { model: string; vendor: string }>(
  rows: readonly T[],
  row: T,
): number {
  const family = /^[a-z]*/i.exec(row.model)![0];
  return rows.filter(({ vendor, model }) => vendor === row.vendor && model.startsWith(family))
    .length;
}

/**
 * Finds the rows whose model matches `name`: exact matches first, then prefixes, then substrings.
 *
 * Rows are grouped by vendor. Vendors are sorted by their best match, then by the number of matches, then
 * by the size of the model family, which puts the maker of a model before its resellers.
 */
export function findModels<T extends { model: string; vendor: string }>(
  rows: readonly T[],
  name: string,
): T[] {
  const wanted = simplified(name);
  const found = rows
    .map((row) => ({ row, rank: rankOf(row.model, wanted) }))
    .filter(({ rank }) => rank < 3)
    .sort((a, b) => a.rank - b.rank);
  const groups = [...Map.groupBy(found, ({ row }) => row.vendor).values()];
  return groups
    .sort((a, b) =>
      a[0].rank - b[0].rank || b.length - a.length ||
      familySize(rows, b[0].row) - familySize(rows, a[0].row)
    )
    .flat()
    .map(({ row }) => row);
}

/** The edit distance between `wanted` and the most similar part of `model`. */
function partDistance(model: string, wanted: string): number {
  const words = model.toLowerCase().match(/[a-z]+|\d+/g) ?? [];
  let best = Infinity;
  for (let from = 0; from < words.length; from++) {
    for (let to = from + 1; to <= words.length; to++) {
      const part = words.slice(from, to).join("");
      // A longer part cannot be closer than the best one so far.
      if (part.length - wanted.length >= best) break;
      best = Math.min(best, distance(part, wanted));
    }
  }
  return best;
}

/**
 * Returns up to `count` names with a part that is similar to `name`, the most similar first, and shorter names
 * first among equals. About a third of the letters may differ.
 */
export function similarModels(models: Iterable<string>, name: string, count: number): string[] {
  const wanted = simplified(name);
  return [...new Set(models)]
    .map((model) => ({ model, distance: partDistance(model, wanted) }))
    .filter(({ distance }) => distance <= Math.max(wanted.length < 4 ? 1 : 2, wanted.length / 3))
    .sort((a, b) => a.distance - b.distance || a.model.length - b.model.length)
    .slice(0, count)
    .map(({ model }) => model);
}
