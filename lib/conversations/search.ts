/**
 * Searches the whole text of a conversation and extracts the matching passages.
 *
 * @module
 */
import { type Conversation, textOf } from "./conversation.ts";
import { folded, foldedWithOrigins } from "./fold_text.ts";
import type { SearchTerm } from "./search_query.ts";

/** The parts of a conversation that are searched. */
export type SearchedPart = "title" | "system" | "file" | "user" | "thinking" | "assistant" | "tool";

/** A part of a conversation with a match. */
export interface SearchHit {
  part: SearchedPart;
  /** The turn, counted from 1; absent for the title and the system prompt. */
  turn?: number;
  /** The text around the first match. */
  snippet: string;
  /** The matches in the snippet: start and end. */
  matches: [start: number, end: number][];
}

interface Section {
  part: SearchedPart;
  turn?: number;
  text: string;
}

function* sectionsOf({ title = "", system = "", turns }: Conversation): Generator<Section> {
  yield { part: "title", text: title };
  yield { part: "system", text: system };
  for (const [i, { user, files = [], thinking = "", assistant }] of turns.entries()) {
    const turn = i + 1;
    yield { part: "file", turn, text: files.join("\n") };
    yield { part: "user", turn, text: textOf(user.content) };
    yield { part: "thinking", turn, text: thinking };
    for (const { function: { name, arguments: given } } of assistant?.tool_calls ?? []) {
      yield { part: "tool", turn, text: `${name} ${given}` };
    }
    yield { part: "assistant", turn, text: textOf(assistant?.content) };
  }
}

/** Where the terms occur in a text, in order and without overlaps. */
function placesIn(text: string, terms: readonly SearchTerm[]): [start: number, end: number][] {
  const { text: searched, origins } = foldedWithOrigins(text);
  const origin = (index: number) => origins === undefined ? index : origins[index];
  const places = terms.flatMap((term) =>
    [...searched.matchAll(term)].map((match): [number, number] => [
      origin(match.index),
      origin(match.index + match[0].length),
    ])
  );
  places.sort(([a], [b]) => a - b);
  return places.filter(([start], i) => i === 0 || start >= places[i - 1][1]);
}

/** The index of the nearest space before or after `index`, if there is one close by. */
function atSpace(text: string, index: number, step: 1 | -1): number {
  for (let i = index, left = 20; left > 0 && i > 0 && i < text.length; i += step, left--) {
    if (/\s/.test(text[i])) return step === 1 ? i + 1 : i;
  }
  // Never between the halves of a character.
  return /[\udc00-\udfff]/.test(text[index] ?? "") ? index - 1 : index;
}

/** Extracts about `length` characters of a text, around the first match. */
function snippetOf(
  { part, turn, text }: Section,
  terms: readonly SearchTerm[],
  length: number,
): SearchHit {
  const places = placesIn(text, terms);
  const [first, firstEnd] = places[0] ?? [0, 0];
  const before = Math.min(first, Math.floor(length / 3));
  const start = before === first ? 0 : atSpace(text, first - before, 1);
  const limit = Math.max(firstEnd, start + length);
  const end = limit >= text.length ? text.length : Math.max(firstEnd, atSpace(text, limit, -1));
  // Line breaks become spaces, one for one, so that the places stay where they are.
  const cut = text.slice(start, end).replace(/\s/g, " ");
  const lead = start > 0 ? "…" : "";
  const snippet = `${lead}${cut}${end < text.length ? "…" : ""}`;
  const shift = lead.length - start;
  const matches = places.filter(([, placeEnd]) => placeEnd <= end)
    .map(([from, to]): [number, number] => [from + shift, to + shift]);
  return { part, ...turn === undefined ? {} : { turn }, snippet, matches };
}

/**
 * Searches a conversation: titles, prompts, answers, thinking, tool calls and names of attached files.
 *
 * @param length about how many characters each snippet has
 * @returns the parts in which something was found, those with most of the terms first; empty unless every term
 *   occurs somewhere in the conversation
 */
export function searchConversation(
  conversation: Conversation,
  terms: readonly SearchTerm[],
  length = 160,
): SearchHit[] {
  const missing = new Set(terms);
  const found: { section: Section; count: number }[] = [];
  for (const section of sectionsOf(conversation)) {
    if (section.text === "") continue;
    const text = folded(section.text);
    // `search` ignores where an earlier match ended, unlike `test`.
    const present = terms.filter((term) => text.search(term) >= 0);
    for (const term of present) missing.delete(term);
    if (present.length > 0) found.push({ section, count: present.length });
  }
  if (missing.size > 0) return [];
  found.sort((a, b) => b.count - a.count);
  return found.map(({ section }) => snippetOf(section, terms, length));
}
