/**
 * Finding models by names that are written from memory.
 *
 * @module
 */
import { distance } from "fastest-levenshtein";

/** A name without what people leave out or write otherwise. */
function simplified(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, "");
}

/** 0 for the very name, 1 for a beginning, 2 for a part of it, 3 for none of them. */
function rankOf(model: string, wanted: string): number {
  const has = simplified(model);
  if (has === wanted) return 0;
  if (has.startsWith(wanted)) return 1;
  return has.includes(wanted) ? 2 : 3;
}

/** How many models of the same family a row's vendor has. */
function relatives<T extends { model: string; vendor: string }>(
  rows: readonly T[],
  row: T,
): number {
  const family = /^[a-z]*/i.exec(row.model)![0];
  return rows.filter(({ vendor, model }) => vendor === row.vendor && model.startsWith(family))
    .length;
}

/**
 * The rows whose model `name` may mean, the best first: the very one, those that begin with it, those
 * that contain it. Vendors stay together: the one with the best first, then the one with the most of
 * them, then the one with the most of their family, which is who makes them.
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
      relatives(rows, b[0].row) - relatives(rows, a[0].row)
    )
    .flat()
    .map(({ row }) => row);
}

/** How far `wanted` is from the part of `model` that is most like it. */
function partDistance(model: string, wanted: string): number {
  const words = model.toLowerCase().match(/[a-z]+|\d+/g) ?? [];
  let least = Infinity;
  for (let from = 0; from < words.length; from++) {
    for (let to = from + 1; to <= words.length; to++) {
      const part = words.slice(from, to).join("");
      // Longer parts differ by more letters than are known to be wrong already.
      if (part.length - wanted.length >= least) break;
      least = Math.min(least, distance(part, wanted));
    }
  }
  return least;
}

/** The `count` names of `models` that are, in a part, most like `name`; the shortest first. */
export function similarModels(models: Iterable<string>, name: string, count: number): string[] {
  const wanted = simplified(name);
  return [...new Set(models)]
    .map((model) => ({ model, far: partDistance(model, wanted) }))
    .sort((a, b) => a.far - b.far || a.model.length - b.model.length)
    .slice(0, count)
    .map(({ model }) => model);
}
