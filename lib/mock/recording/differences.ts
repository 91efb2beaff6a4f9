/**
 * Finds the recorded request that is nearest to one that was not recorded, and how the two differ.
 *
 * @module
 */
import { distance } from "fastest-levenshtein";
import type { LocatedExchange, RecordedRequest } from "./exchange.ts";

/** The values of a body by their paths, such as `messages[0].content`. */
type Leaves = Map<string, string>;

/** Maximum length of a value in a message. */
const MAX_SHOWN = 60;
/** Requests that are compared in detail. */
const MAX_CANDIDATES = 200;

function collect(value: unknown, path: string, leaves: Leaves): void {
  if (typeof value !== "object" || value === null || "rawJSON" in value) {
    leaves.set(path, JSON.stringify(value) ?? "nothing");
  } else if (Array.isArray(value)) {
    if (value.length === 0) leaves.set(path, "[]");
    value.forEach((item, i) => collect(item, `${path}[${i}]`, leaves));
  } else {
    const fields = Object.entries(value);
    if (fields.length === 0) leaves.set(path, "{}");
    for (const [name, field] of fields) collect(field, path && `${path}.${name}` || name, leaves);
  }
}

function leavesOf({ json, text, base64 }: RecordedRequest): Leaves {
  const leaves: Leaves = new Map();
  if (json !== undefined) collect(json, "", leaves);
  else if (text !== undefined) leaves.set("", JSON.stringify(text));
  else if (base64 !== undefined) leaves.set("", JSON.stringify(base64));
  return leaves;
}

/** The share of equal values, from 0 to 1. */
function similarity(a: Leaves, b: Leaves): number {
  let equal = 0;
  for (const [path, value] of a) if (b.get(path) === value) equal++;
  return (equal + 1) / (Math.max(a.size, b.size) + 1);
}

/** Two values; of long ones, the part around the first difference. */
function shown(recorded: string, sent: string): [string, string] {
  let same = 0;
  while (same < recorded.length && recorded[same] === sent[same]) same++;
  const start = Math.max(0, same - MAX_SHOWN / 2);
  const isShort = recorded.length <= MAX_SHOWN && sent.length <= MAX_SHOWN;
  const part = (text: string) => {
    if (isShort) return text;
    const end = start + MAX_SHOWN;
    return `${start > 0 ? "…" : ""}${text.slice(start, end)}${end < text.length ? "…" : ""}`;
  };
  return [part(recorded), part(sent)];
}

/** Describes the first difference between two bodies. */
function firstDifference(recorded: Leaves, sent: Leaves): string {
  const at = (path: string) => path === "" ? "the body" : path;
  for (const [path, value] of sent) {
    const before = recorded.get(path);
    if (before === undefined) {
      return `${at(path)} was not recorded, and is now ${shown("", value)[1]}`;
    }
    if (before === value) continue;
    const [was, is] = shown(before, value);
    return `${at(path)} was ${was}, and is now ${is}`;
  }
  for (const [path, value] of recorded) {
    if (!sent.has(path)) return `${at(path)} was ${shown(value, "")[0]}, and is now missing`;
  }
  return "the bodies are written differently";
}

/** Describes the nearest of `exchanges` and its first difference from `sent`. */
export function nearestRequest(
  exchanges: readonly LocatedExchange[],
  sent: RecordedRequest,
): string {
  const samePath = exchanges.filter(({ request }) =>
    request.method === sent.method && request.path === sent.path
  );
  if (samePath.length === 0) {
    const target = `${sent.method} ${sent.path}`;
    const nameOf = ({ request }: LocatedExchange) => `${request.method} ${request.path}`;
    const nearest = exchanges.map((exchange) => [distance(nameOf(exchange), target), exchange])
      .reduce((best, next) => next[0] < best[0] ? next : best)[1] as LocatedExchange;
    return `The nearest recorded request is ${nameOf(nearest)} on line ${nearest.line}.`;
  }
  const leaves = leavesOf(sent);
  const [best] = samePath.slice(0, MAX_CANDIDATES)
    .map((exchange) => ({ exchange, recorded: leavesOf(exchange.request) }))
    .map((candidate) => ({ ...candidate, score: similarity(leaves, candidate.recorded) }))
    .sort((a, b) => b.score - a.score);
  const difference = firstDifference(best.recorded, leaves);
  return `The nearest recorded request is on line ${best.exchange.line}: ${difference}.`;
}
