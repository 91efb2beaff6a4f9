/** The search through the history of a chat. */
import assert from "node:assert/strict";
import { HistorySearch } from "../../../commands/chat/editor/history_search.ts";
import { searchInput, searchKey } from "../../../commands/chat/editor/search_keys.ts";

const ENTRIES = ["name a lake", "What is a river?", "/model x", "name a river"];

Deno.test("a search finds older and newer entries, and keeps the last one when nothing matches", () => {
  const search = new HistorySearch(ENTRIES);
  assert.equal(search.found, undefined);
  search.search("n");
  assert.equal(search.found, "name a lake");
  // A longer query stays with the entry if it still matches.
  search.search("name");
  assert.equal(search.found, "name a lake");
  search.search("name a r");
  assert.deepEqual([search.found, search.position], ["name a river", 0]);
  search.older();
  assert.deepEqual([search.found, search.hasFailed], ["name a river", true]);
  // A shorter query starts again at the most recent entry.
  search.search("a");
  assert.deepEqual([search.found, search.hasFailed, search.position], ["name a lake", false, 1]);
  search.older();
  search.older();
  assert.equal(search.found, "name a river");
  search.newer();
  assert.equal(search.found, "What is a river?");
  search.search("");
  assert.deepEqual([search.found, search.hasFailed], [undefined, false]);
});

Deno.test("only a query with upper-case letters is case-sensitive", () => {
  const search = new HistorySearch(ENTRIES);
  search.search("what");
  assert.equal(search.found, "What is a river?");
  search.search("What");
  assert.equal(search.found, "What is a river?");
  search.search("WHAT");
  assert.equal(search.hasFailed, true);
});

Deno.test("keys type, repeat, cancel or accept a search", () => {
  const search = new HistorySearch(ENTRIES);
  const press = (text: string | undefined, key: Parameters<typeof searchKey>[2]) =>
    searchKey(search, text, key);
  assert.equal(press("r", { name: "r" }), "continue");
  assert.equal(press("\x12", { name: "r", ctrl: true }), "continue");
  assert.equal(search.query, "r");
  assert.equal(search.found, "name a river");
  assert.equal(press("\x13", { name: "s", ctrl: true }), "continue");
  assert.equal(search.found, "What is a river?");
  assert.equal(press("\x7f", { name: "backspace" }), "continue");
  assert.equal(search.query, "");
  assert.equal(press("日", {}), "continue");
  assert.match(searchInput(search).prompt, /not found.*日/);
  assert.equal(press("\x07", { name: "g", ctrl: true }), "cancel");
  assert.equal(press(undefined, { name: "escape", meta: true }), "cancel");
  for (const name of ["left", "up"]) assert.equal(press(undefined, { name }), "accept and apply");
  assert.equal(press("\r", { name: "return" }), "accept and apply");
  assert.equal(press("\x05", { name: "e", ctrl: true }), "accept and apply");
});
