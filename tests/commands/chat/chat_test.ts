/** Saved conversations, attachments and templates. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { UserMessage } from "../../../lib/chat/messages.ts";
import {
  requestMessages,
  titleOf,
  type Turn,
  typedText,
  withText,
} from "../../../lib/conversations/conversation.ts";
import { toMarkdown } from "../../../lib/conversations/export.ts";
import { ConversationStore, copyOf, newConversation } from "../../../lib/conversations/store.ts";
import { InvalidInputError } from "../../../lib/errors.ts";
import { messageWith, readAttachment } from "../../../lib/input/attachment.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

Deno.test("conversations are readable by their owner only, and found by a prefix of their ID", () => {
  using folder = temporaryFolder();
  const store = new ConversationStore(join(folder.path, "home"));
  assert.deepEqual(store.list(), { conversations: [], problems: [] });
  assert.throws(() => store.latest(), InvalidInputError);
  const conversation = newConversation({ model: "m" });
  conversation.turns.push({ at: "", user: { role: "user", content: "  Hello\nthere" } });
  store.save(conversation);
  assert.equal(statSync(store.folder).mode & 0o777, 0o700);
  assert.equal(statSync(store.pathOf(conversation.id)).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(store.folder), [`${conversation.id}.json`]);
  assert.deepEqual(store.latest(), conversation);
  assert.deepEqual(store.find(conversation.id.slice(0, 20)), conversation);
  assert.throws(() => store.find(""), /there is no conversation ""/);
  const copy = copyOf(conversation);
  store.save(copy);
  assert.throws(() => store.find(copy.id.slice(0, 4)), /2 conversations start with "\d{4}"/);
  assert.equal(store.list().conversations[0].title, "Hello");
  const [turn] = copy.turns;
  turn.files = ["a.txt"];
  turn.user.content = '<file name="a.txt">\nx\n</file>\n\nSum up';
  assert.equal(titleOf(copy), "Sum up");
  turn.user.content = '<file name="a.txt">\nx\n</file>';
  assert.equal(titleOf(copy), "a.txt");
  copy.turns.pop();
  store.save(copy);
  assert.equal(store.list().conversations.length, 1);
});

Deno.test("conversations are found by number, ID or text, and can have a title", () => {
  using folder = temporaryFolder();
  const store = new ConversationStore(folder.path);
  const [first, second] = ["about rivers", "about lakes"].map((content, i) => {
    const conversation = newConversation({ model: "m" });
    conversation.id = `20260101-00000${i}-000abcd`;
    conversation.turns.push({
      at: "",
      user: { role: "user", content },
      assistant: { role: "assistant", content: `Some words on ${i === 0 ? "Danube" : "Como"}.` },
    });
    store.save(conversation);
    utimesSync(store.pathOf(conversation.id), 1000 + i, 1000 + i);
    return conversation;
  });
  const numbers = store.list().conversations.map(({ number, title }) => [number, title]);
  assert.deepEqual(numbers, [[1, "about lakes"], [2, "about rivers"]]);
  assert.equal(store.find("2").id, first.id);
  assert.equal(store.find("danube").id, first.id);
  assert.equal(store.find("LAKES").id, second.id);
  assert.equal(store.find("20260101-000001").id, second.id);
  assert.throws(() => store.find("3"), /there is no conversation "3"/);
  assert.throws(
    () => store.find("words"),
    (error) =>
      error instanceof InvalidInputError && /2 conversations contain "words"/.test(error.message) &&
      /Choose one by its ID:\n {2}20260101-000001-000abcd {2}about lakes\n/.test(error.hint ?? ""),
  );
  // A search keeps the numbers of the whole list.
  assert.deepEqual(store.list("rivers").conversations.map(({ number }) => number), [2]);
  first.title = "Water";
  store.save(first);
  assert.equal(store.find("water").id, first.id);
  assert.equal(titleOf(store.find(first.id)), "Water");
  folder.write(`conversations/${first.id}.json`, JSON.stringify({ ...first, title: 1 }));
  assert.throws(() => store.find(first.id), /title: expected a string/);
});

Deno.test("the text of a message can be replaced without its attachments", () => {
  const file = '<file name="a.txt">\nx\n</file>\n\n';
  const turn = (content: UserMessage["content"], files?: string[]): Turn => ({
    at: "",
    user: { role: "user", content },
    files,
  });
  assert.equal(withText(turn("old"), "new").content, "new");
  assert.equal(typedText(turn(`${file}old`, ["a.txt"])), "old");
  assert.equal(withText(turn(`${file}old`, ["a.txt"]), "new").content, `${file}new`);
  // Without attachments, the user has typed it.
  assert.equal(withText(turn(`${file}old`), "new").content, "new");
  const image = { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } } as const;
  const text = (text: string) => ({ type: "text", text }) as const;
  const replaced = [image, text("new")];
  assert.deepEqual(withText(turn([image, text("old")], ["a.png"]), "new").content, replaced);
  assert.deepEqual(withText(turn([image], ["a.png"]), "new").content, replaced);
});

Deno.test("an unreadable conversation is reported and does not hide the others", () => {
  using folder = temporaryFolder();
  const store = new ConversationStore(folder.path);
  const good = newConversation({ model: "m" });
  good.turns.push({ at: "", user: { role: "user", content: "Hi" } });
  store.save(good);
  for (
    const [id, text, pattern] of [
      ["a", '{"version":1', /cannot read the conversation .*a\.json/],
      ["b", "[]", /b\.json is not a conversation: expected a JSON object/],
      ["c", '{"version":2}', /version: expected 1, got 2/],
      [
        "d",
        '{"version":1,"id":"d","model":"m","turns":[{"user":{"role":"user"}}]}',
        /turns\[0\]: messages\[0\]\.content: expected a string/,
      ],
    ] as const
  ) {
    writeFileSync(store.pathOf(id), text);
    assert.throws(() => store.find(id), pattern);
  }
  const { conversations, problems } = store.list();
  assert.deepEqual([conversations.length, problems.length], [1, 4]);
});

Deno.test("a conversation is locked by one process at a time", async () => {
  using folder = temporaryFolder();
  const store = new ConversationStore(folder.path);
  const lock = await store.lock("x");
  assert.ok(lock);
  assert.equal(await store.lock("x"), undefined);
  lock.release();
  const again = await store.lock("x");
  assert.ok(again);
  again.release();
});

Deno.test("unanswered turns are not sent, but are part of the exported document", () => {
  const conversation = newConversation({ model: "m", system: "Be brief." });
  const providerMessage = {
    format: "claude",
    content: [{ type: "thinking", signature: "s" }],
  } as const;
  conversation.turns.push(
    { at: "", user: { role: "user", content: "unanswered" } },
    {
      at: "",
      user: { role: "user", content: "one" },
      assistant: { role: "assistant", content: "two", providerMessage },
    },
  );
  assert.deepEqual(requestMessages(conversation), [
    { role: "system", content: "Be brief." },
    { role: "user", content: "one" },
    { role: "assistant", content: "two", providerMessage },
  ]);
  const text = toMarkdown(conversation);
  for (const part of ["# unanswered", "Be brief.", "one", "two"]) assert.ok(text.includes(part));
});

Deno.test("files are attached as text, image, PDF or audio; others are refused", async () => {
  using folder = temporaryFolder();
  const text = await readAttachment(folder.write("notes.md", "\uFEFF# Notes"));
  assert.deepEqual(messageWith("Sum up.", [text]), {
    role: "user",
    content: '<file name="notes.md">\n# Notes\n</file>\n\nSum up.',
  });
  const png = "\x89PNG\r\n\x1a\n0000";
  writeFileSync(folder.file("a.dat"), png, "latin1");
  const image = await readAttachment(folder.file("a.dat"));
  const { content } = messageWith("What is it?", [text, image]);
  assert.ok(Array.isArray(content));
  assert.deepEqual(content.map(({ type }) => type), ["text", "image_url", "text"]);
  const [, part] = content;
  assert.ok(part.type === "image_url" && part.image_url.url.startsWith("data:image/png;base64,"));

  folder.write("a.pdf", "%PDF-1.7\n");
  const pdf = await readAttachment(folder.file("a.pdf"));
  const file_data = `data:application/pdf;base64,${btoa("%PDF-1.7\n")}`;
  assert.deepEqual(pdf.part, { type: "file", file: { file_data, filename: "a.pdf" } });
  folder.write("a.mp3", "ID3");
  assert.deepEqual((await readAttachment(folder.file("a.mp3"))).part, {
    type: "input_audio",
    input_audio: { data: btoa("ID3"), format: "mp3" },
  });
  assert.deepEqual((await readAttachment(file_data)).part, { type: "file", file: { file_data } });

  writeFileSync(folder.file("b.bin"), "\x00\x01\xff", "latin1");
  writeFileSync(folder.file("latin1.txt"), "caf\xe9", "latin1");
  folder.write("large.txt", "x".repeat(5 * 1024 * 1024));
  mkdirSync(folder.file("folder"));
  const cases: [string, RegExp][] = [
    ["b.bin", /b\.bin is not text \(UTF-8\), an image, a PDF or audio/],
    ["latin1.txt", /latin1\.txt is not text/],
    ["large.txt", /large\.txt has 5\.0 MB, more than the 4\.0 MB that can be sent/],
    ["folder", /folder: it is a folder, not a file/],
    ["none", /cannot read .*none: it does not exist/],
  ];
  for (const [name, pattern] of cases) {
    await assert.rejects(readAttachment(folder.file(name)), pattern);
  }
});
