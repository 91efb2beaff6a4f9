/** Walking through saved conversations, renaming them, and exporting them. */
import assert from "node:assert/strict";
import { statSync, utimesSync } from "node:fs";
import { browse } from "../../lib/conversations/browse.ts";
import { type Conversation, titleOf } from "../../lib/conversations/conversation.ts";
import { exportConversations } from "../../lib/conversations/export.ts";
import { ConversationStore } from "../../lib/conversations/store.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";

const DAY = 86_400_000;
const START = Date.UTC(2026, 10, 1);

function conversation(id: string, model: string, text: string): Conversation {
  const created = "2026-11-01T10:00:00.000Z";
  const turns: Conversation["turns"] = [{
    at: created,
    user: { role: "user", content: text },
    assistant: { role: "assistant", content: `<b>${text}</b>` },
    thinking: "a & b",
    model,
  }];
  return { version: 1, id, created, model, turns };
}

/** A store with conversations 0 to 3, each used a day after the one before, and a damaged one at day 1.5. */
function setUp(folder: TemporaryFolder): ConversationStore {
  const store = new ConversationStore(folder.path);
  const touch = (id: string, day: number) => {
    const time = (START + day * DAY) / 1000;
    utimesSync(store.pathOf(id), time, time);
  };
  for (const i of [0, 1, 2, 3]) {
    store.save(conversation(`id${i}`, i % 2 ? "gpt-5" : "claude", `text ${i}`));
    touch(`id${i}`, i);
  }
  folder.write("conversations/bad.json", "{");
  touch("bad", 1.5);
  return store;
}

Deno.test("conversations are read from the last used on, with damaged ones among them", () => {
  using folder = temporaryFolder();
  const store = setUp(folder);
  const ids = (filter: Parameters<typeof browse>[1]) =>
    [...browse(store, filter)].map((entry) =>
      "problem" in entry ? `!${entry.id}` : `${entry.number}:${entry.id}`
    );
  assert.deepEqual(ids({}), ["1:id3", "2:id2", "!bad", "3:id1", "4:id0"]);
  assert.deepEqual(ids({ model: "GPT" }), ["1:id3", "!bad", "3:id1"]);
  assert.deepEqual(ids({ since: START + DAY, until: START + 2 * DAY }), ["2:id2", "!bad", "3:id1"]);
  // The number in the list, which `find` uses.
  assert.equal(store.find("3").id, "id1");
});

Deno.test("a caller that stops early reads no older file", () => {
  using folder = temporaryFolder();
  const store = setUp(folder);
  const entries = store.entries();
  entries.next();
  folder.write("conversations/id2.json", "{");
  const { value } = entries.next();
  assert.ok(value && "problem" in value, "id2 was read too early");
});

Deno.test("a new title keeps the place in the list, and an empty one restores the automatic title", () => {
  using folder = temporaryFolder();
  const store = setUp(folder);
  const { mtimeMs } = statSync(store.pathOf("id1"));
  assert.equal(titleOf(store.rename("id1", "Rivers")), "Rivers");
  assert.equal(titleOf(store.find("id1")), "Rivers");
  assert.equal(statSync(store.pathOf("id1")).mtimeMs, mtimeMs);
  assert.equal(titleOf(store.rename("id1", "")), "text 1");
});

Deno.test("exports: JSON can be restored, JSON lines have messages, HTML is escaped", () => {
  const hostile = conversation("x", "m", "<script>alert(1)</script>");
  const tagged = { ...hostile, title: '</title><img src=x onerror="1">' };
  assert.deepEqual(JSON.parse(exportConversations([hostile], "json", false)), hostile);
  assert.deepEqual(JSON.parse(exportConversations([hostile], "json", true)), [hostile]);
  const [line, end] = exportConversations([hostile], "jsonl", true).split("\n");
  assert.deepEqual(JSON.parse(line).messages.map(({ role }: { role: string }) => role), [
    "user",
    "assistant",
  ]);
  assert.equal(end, "");
  const html = exportConversations([tagged, hostile], "html", true);
  assert.doesNotMatch(html, /<script|<img|<b>/);
  assert.match(html, /&lt;script&gt;alert\(1\)&lt;\/script&gt;/);
  assert.match(html, /default-src 'none'/);
  assert.match(exportConversations([hostile, hostile], "md", true), /## Assistant[^]*\n---\n\n# /);
});
