/** Searching conversations: words, phrases, prefixes, and the places that are shown. */
import assert from "node:assert/strict";
import type { Conversation, Turn } from "../../lib/conversations/conversation.ts";
import { searchConversation, type SearchHit } from "../../lib/conversations/search.ts";
import { parseQuery } from "../../lib/conversations/search_query.ts";

function conversation(turns: [user: string, assistant: string, more?: Partial<Turn>][]) {
  return {
    version: 1,
    id: "a",
    created: "2026-11-01T10:00:00Z",
    model: "m",
    title: "Geography",
    system: "You are terse.",
    turns: turns.map(([user, assistant, more]) => ({
      at: "2026-11-01T10:00:00Z",
      user: { role: "user", content: user },
      assistant: { role: "assistant", content: assistant },
      ...more,
    })),
  } as Conversation;
}

const RIVERS = conversation([
  ["Which rivers reach the\n\nBlack Sea?", "The Danube, for example."],
  ["And 多瑙河?", "That is the Danube. Straßen am Café Königsberg: ΟΔΥΣΣΕΥΣ."],
]);

function find(query: string, within = RIVERS): SearchHit[] {
  return searchConversation(within, parseQuery(query));
}

/** The found texts. */
function marked(hits: SearchHit[]): string[] {
  return hits.flatMap(({ snippet, matches }) =>
    matches.map(([from, to]) => snippet.slice(from, to))
  );
}

Deno.test("all words must occur, anywhere in the conversation", () => {
  assert.equal(find("danube black").length, 3);
  assert.equal(find("danube volga").length, 0);
});

Deno.test("a word finds longer ones that start with it, but not the middle of one", () => {
  assert.deepEqual(marked(find("riv")), ["riv"]);
  assert.deepEqual(find("ivers"), []);
  // Scripts without spaces have no visible starts of words.
  assert.deepEqual(marked(find("瑙河")), ["瑙河"]);
});

Deno.test("a phrase must occur in its order, over any space", () => {
  assert.deepEqual(marked(find('"the black sea"')), ["the  Black Sea"]);
  assert.deepEqual(find('"black the"'), []);
  assert.deepEqual(marked(find('"danube, for')), ["Danube, for"]);
});

Deno.test("case and accents are ignored, and places refer to the original text", () => {
  assert.deepEqual(marked(find("CAFE konigs")), ["Café", "Königs"]);
  assert.deepEqual(marked(find("οδυσσευς")), ["ΟΔΥΣΣΕΥΣ"]);
  assert.deepEqual(marked(find("ko\u0308nig")), ["König"]);
});

Deno.test("characters of patterns are ordinary", () => {
  const code = conversation([["What is a.*b (c|d) [e] \\f $g^ {2}?", "x"]]);
  for (const query of ["a.*b", "(c|d)", "[e]", "\\f", "$g^", "{2}?"]) {
    assert.deepEqual(marked(find(query, code)), [query]);
  }
  assert.deepEqual(find("a.b", code), []);
});

Deno.test("titles, system prompts, thinking, tool calls and names of files are searched", () => {
  const call = { id: "1", type: "function", function: { name: "weather", arguments: '{"q":1}' } };
  const all = conversation([["u", "", {
    thinking: "hmm ponder",
    files: ["notes.md"],
    assistant: { role: "assistant", content: null, tool_calls: [call] } as Turn["assistant"],
  }]]);
  const parts = ["geography", "terse", "ponder", "weather", "notes"].map((word) => {
    const [{ part, turn }] = find(word, all);
    return [part, turn];
  });
  assert.deepEqual(parts, [
    ["title", undefined],
    ["system", undefined],
    ["thinking", 1],
    ["tool", 1],
    ["file", 1],
  ]);
});

Deno.test("a snippet of a long text is around the first place, at word boundaries", () => {
  const words = Array.from({ length: 500 }, (_, i) => `word${i}`).join(" ");
  const [{ snippet, matches }] = find("word250", conversation([[words, ""]]));
  assert.match(snippet, /^…word\d+ .* word250 .* word\d+…$/);
  assert.ok(snippet.length < 170, snippet);
  assert.deepEqual(matches.map(([from, to]) => snippet.slice(from, to)), ["word250"]);
  const emoji = "🙂".repeat(500);
  const [hit] = find("x", conversation([[`${emoji} x${emoji}`, ""]]));
  assert.equal(hit.snippet.isWellFormed(), true);
});

Deno.test("an empty search is refused", () => {
  for (const query of ["", "  ", '""', '" "']) {
    assert.throws(() => parseQuery(query), { code: "invalid_input" });
  }
});
