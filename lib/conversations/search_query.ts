/**
 * Parses what to search for in conversations: words, each of which must occur, and phrases in quotes.
 *
 * @module
 */
import { InvalidInputError } from "../errors.ts";
import { folded } from "./fold_text.ts";

/** One word or phrase, as a pattern for folded text; see {@link folded}. */
export type SearchTerm = RegExp;

/** A word or a phrase; a quote that is not closed ends with the text. */
const TERM = /"([^"]*)(?:"|$)|[^\s"]+/g;

/** Scripts without spaces between words: a word can start anywhere. */
const UNSPACED = /^[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}]/u;
const WORD_START = /^[\p{L}\p{N}]/u;

/** Characters with a meaning in a regular expression. */
const SPECIAL = /[\\^$.*+?()[\]{}|]/g;

function patternOf(term: string): SearchTerm {
  const words = term.split(/\s+/).map((word) => word.replace(SPECIAL, "\\$&")).join("\\s+");
  const start = WORD_START.test(term) && !UNSPACED.test(term) ? "(?<![\\p{L}\\p{N}])" : "";
  return new RegExp(`${start}${words}`, "gu");
}

/**
 * Parses a query. All of its words and `"quoted phrases"` must occur, in any order, case and with or without
 * accents. A word also finds longer ones that start with it: `river` finds `rivers`.
 *
 * @throws {InvalidInputError} if it contains no word
 */
export function parseQuery(query: string): SearchTerm[] {
  const found = [...query.matchAll(TERM)].map(([word, phrase]) => (phrase ?? word).trim());
  const terms = [...new Set(found.filter((term) => term !== "").map(folded))];
  if (terms.length === 0) {
    throw new InvalidInputError("the search is empty", {
      hint: "Pass one or more words: flexllm logs search river delta",
    });
  }
  return terms.map(patternOf);
}
