/**
 * The keys of a search through the history, and how the search is shown.
 *
 * @module
 */
import { colored } from "../../terminal/output.ts";
import type { HistorySearch } from "./history_search.ts";
import type { Input } from "./input_area.ts";
import type { Key } from "./key_reader.ts";

/** What a key does to a search. */
export type SearchOutcome =
  | "continue"
  /** Ends the search; the line before it comes back. */
  | "cancel"
  /** Ends the search with the entry that was found. */
  | "accept"
  /** The same, and the key applies to that entry. */
  | "accept and apply";

/** Applies a key to a search. */
export function searchKey(
  search: HistorySearch,
  text: string | undefined,
  { name, ctrl = false, meta = false }: Key,
): SearchOutcome {
  if (ctrl && name === "r") search.older();
  else if (ctrl && name === "s") search.newer();
  else if (ctrl && name === "g") return "cancel";
  else if (ctrl && name === "u") search.search("");
  else if (name === "escape") return "cancel";
  else if (name === "backspace" || (ctrl && name === "h")) {
    search.search([...search.query].slice(0, -1).join(""));
  } else if (ctrl || meta || text === undefined || /\p{Cc}/u.test(text)) return "accept and apply";
  else search.search(search.query + text);
  return "continue";
}

/** The search as an input, with the entry that was found after the query. */
export function searchInput(search: HistorySearch): Input {
  const label = search.hasFailed ? "not found" : "search history";
  return {
    prompt: `${colored("dim", `(${label})`)} ${search.query}${colored("dim", ":")} `,
    line: search.found ?? "",
    cursor: search.position,
  };
}
