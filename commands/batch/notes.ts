/**
 * What is said of a result file before a batch goes on with it.
 *
 * @module
 */
import type { Journal } from "../../lib/batch/journal/journal.ts";
import type { BatchFlags } from "./flags.ts";
import { printable } from "../terminal/sanitize.ts";

/**
 * What a result file has of other models than those that are asked, if it has. Servers tell longer or
 * shorter names than they are asked by, with a date or the maker's name, so a part of a name is enough.
 */
export function otherModels(
  asked: readonly string[],
  answered: ReadonlyMap<string, number>,
): string | undefined {
  const isAsked = (name: string) =>
    asked.some((other) => {
      const [a, b] = [name, other].map((text) => text.toLowerCase());
      return a.includes(b) || b.includes(a);
    });
  const others = [...answered].filter(([name]) => !isAsked(name));
  if (others.length === 0) return undefined;
  const count = others.reduce((sum, [, answers]) => sum + answers, 0);
  const names = others.slice(0, 3).map(([name]) => printable(name)).join(", ");
  return `${count} answers of ${names}${others.length > 3 ? " and others" : ""}`;
}

/** Why none of the records that are meant, `total`, has to be asked. */
export function nothingToDo(
  total: number,
  { errors }: Journal,
  { retryFailed }: BatchFlags,
): string {
  if (retryFailed === false && errors > 0) {
    const others = total === 0 ? "" : `, the other ${total} are done`;
    return `${errors} failed before and ${errors === 1 ? "is" : "are"} left as before${others}`;
  }
  if (total > 0) return `All ${total} records are done already`;
  return retryFailed ? "No record has failed" : "There is no record to ask";
}
