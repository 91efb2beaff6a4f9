/**
 * `flexllm logs search`: finds saved conversations by their text and shows the places.
 *
 * @module
 */
import process from "node:process";
import type { ConversationFilter } from "../../lib/conversations/browse.ts";
import { searchConversation, type SearchHit } from "../../lib/conversations/search.ts";
import { parseQuery } from "../../lib/conversations/search_query.ts";
import type { ConversationStore } from "../../lib/conversations/store.ts";
import {
  type ConversationSummary,
  type StoredConversation,
  summaryOf,
} from "../../lib/conversations/summary.ts";
import { minute } from "../chat/conversation_table.ts";
import { summaryJson } from "../chat/list_conversations.ts";
import { counted } from "../terminal/format.ts";
import {
  colored,
  showsColors,
  type Style,
  writeJson,
  writeNote,
  writeOutput,
} from "../terminal/output.ts";
import { printable } from "../terminal/sanitize.ts";
import { writeSentences } from "../terminal/sentences.ts";
import { truncate } from "../terminal/table.ts";
import { widthOfStream, wrapped } from "../terminal/wrap.ts";
import { readable } from "./find.ts";
import { DEFAULT_COUNT } from "./list.ts";

/** How many places are shown of one conversation; JSON has all. */
const MAX_PLACES = 3;

/** What to search. */
export interface SearchOptions extends ConversationFilter {
  /** Maximum number of conversations. */
  count?: number;
  json: boolean;
}

function paint(style: Style, text: string): string {
  return colored(style, text, process.stdout);
}

/** The snippet with its matches in color, or in brackets if there are no colors. */
function marked({ snippet, matches }: SearchHit): string {
  const mark = showsColors(process.stdout)
    // Word by word, so that a line break between them does not extend the color.
    ? (text: string) => text.replace(/\S+/g, (word) => paint("yellow", paint("bold", word)))
    : (text: string) => `[${text}]`;
  let shown = "";
  let end = 0;
  for (const [from, to] of matches) {
    shown += printable(snippet.slice(end, from)) + mark(printable(snippet.slice(from, to)));
    end = to;
  }
  return (shown + printable(snippet.slice(end))).replace(/ {2,}/g, " ");
}

function placeLines(hit: SearchHit, width: number | undefined): string[] {
  const { part, turn } = hit;
  const label = turn === undefined ? part : `${part} ${turn}`;
  const text = `${paint("dim", `${label}:`)} ${marked(hit)}`;
  const lines = width === undefined ? [text] : wrapped(text, width - 2);
  return lines.map((line) => `  ${line}`);
}

function foundLines(summary: ConversationSummary, hits: readonly SearchHit[]): string[] {
  const { id, updated, model, title } = summary;
  const width = widthOfStream(process.stdout);
  const head = `${id}  ${printable(title).replace(/\s+/g, " ")}`;
  const facts = `  ${minute(updated)} · ${printable(model)} · ${counted(summary.turns, "turn")}`;
  const more = hits.length - MAX_PLACES;
  return [
    paint("bold", width === undefined ? head : truncate(head, width)),
    paint("dim", facts),
    ...hits.slice(0, MAX_PLACES).flatMap((hit) => placeLines(hit, width)),
    ...more > 0 ? [paint("dim", `  … and ${counted(more, "more place")}`)] : [],
    "",
  ];
}

function foundJson(entry: StoredConversation, hits: readonly SearchHit[]) {
  return { ...summaryJson(summaryOf(entry)), hits };
}

/**
 * Prints the conversations that contain all words of `query`, the last used first, as they are found.
 *
 * @throws {InvalidInputError} if the query is empty
 */
export function searchConversations(
  store: ConversationStore,
  query: string,
  { json, count = json ? Infinity : DEFAULT_COUNT, ...filter }: SearchOptions,
): void {
  const terms = parseQuery(query);
  const found: ReturnType<typeof foundJson>[] = [];
  let shown = 0;
  let hasMore = false;
  for (const entry of readable(store, filter)) {
    const hits = searchConversation(entry.conversation, terms);
    if (hits.length === 0) continue;
    if (shown === count) {
      hasMore = true;
      break;
    }
    shown++;
    if (json) found.push(foundJson(entry, hits));
    else writeOutput(`${foundLines(summaryOf(entry), hits).join("\n")}\n`);
  }
  if (json) return writeJson(found);
  if (shown === 0) return writeNote(`No saved conversation contains ${JSON.stringify(query)}.`);
  if (hasMore) writeSentences(`There are older ones: -n ${count * 5} shows more.`);
}
