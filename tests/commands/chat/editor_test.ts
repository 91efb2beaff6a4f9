/** The line editor of a chat: pastes, typeahead, messages of several lines and the history. */
import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { History } from "../../../commands/chat/editor/history.ts";
import { MessageBuilder } from "../../../commands/chat/editor/message_builder.ts";
import { Pastes, PasteSplitter } from "../../../commands/chat/editor/paste.ts";
import { CTRL_C, Typeahead } from "../../../commands/chat/editor/typeahead.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

Deno.test("pastes are recognized however the input is split", () => {
  const text = "ab\x1b[200~one\r\ntwo\rthree\x1b[201~cd\x1b[A\x1b[200~x\x1b[201~";
  for (let size = 1; size <= text.length; size++) {
    const splitter = new PasteSplitter();
    let keys = "";
    const pastes: string[] = [];
    for (let i = 0; i < text.length; i += size) {
      for (const { kind, text: piece } of splitter.push(text.slice(i, i + size))) {
        if (kind === "keys") keys += piece;
        else pastes.push(piece);
      }
    }
    assert.deepEqual([keys, pastes], ["abcd\x1b[A", ["one\ntwo\nthree", "x"]], `${size}`);
  }
  const pastes = new Pastes();
  assert.equal(pastes.shorten("a\n\tb\x1b[2J\n"), "a⏎⇥b[2J");
  assert.equal(pastes.expand("a⏎⇥b [paste 7: 3 lines]"), "a\n\tb [paste 7: 3 lines]");
  const large = "x\n".repeat(50);
  const placeholder = pastes.shorten(large);
  assert.equal(placeholder, "[paste 1: 50 lines]");
  assert.equal(pastes.expand(`see ${placeholder}!`), `see ${large.trimEnd()}!`);
});

Deno.test("backslashes and triple quotes join lines into a message", () => {
  const messages = (text: string) => {
    const lines = new MessageBuilder();
    return text.split("\n").flatMap((line) => lines.push(line) ?? []);
  };
  assert.deepEqual(messages("a\nb"), ["a", "b"]);
  assert.deepEqual(messages("a\\\nb\\\nc\nd"), ["a\nb\nc", "d"]);
  assert.deepEqual(messages('"""\na\n\n  b\n"""\nc'), ["a\n\n  b", "c"]);
  assert.deepEqual(messages('"""a\nb"""'), ["a\nb"]);
  assert.deepEqual(messages('"""a"""'), ["a"]);
  const lines = new MessageBuilder();
  lines.push('"""');
  lines.push("rest");
  assert.equal(lines.finish(), "rest");
  assert.equal(lines.isIncomplete, false);
});

Deno.test("the history is bounded, private, and free of duplicates and lines that start with a space", () => {
  using folder = temporaryFolder();
  const home = join(folder.path, "home");
  const history = new History(home);
  for (const entry of ["one", "two\nlines", " secret", "one", "x".repeat(5000)]) history.add(entry);
  assert.deepEqual(history.entries, ["one", "two⏎lines"]);
  assert.deepEqual(new History(home).entries, ["one", "two⏎lines"]);
  const file = join(home, "history");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  writeFileSync(file, Array.from({ length: 2500 }, (_, i) => `entry ${i}\n`).join(""));
  assert.equal(new History(home).entries.length, 1000);
  assert.equal(folder.read("home/history").split("\n").length, 1001);
  assert.equal(new History(home).entries[0], "entry 2499");
});

Deno.test("typeahead is consumed up to the end of a line, pastes in one piece", () => {
  const typeahead = new Typeahead();
  typeahead.push(new TextEncoder().encode("é").slice(0, 1));
  typeahead.push(new TextEncoder().encode("é").slice(1));
  typeahead.push("\rnext\t\x1b[200~a\rb\x1b[201~\x03");
  assert.equal(typeahead.includes(CTRL_C), true);
  const pieces = Array.from({ length: 6 }, () => typeahead.shift()?.text);
  assert.deepEqual(pieces, ["é", "\r", "next\t", "a\nb", CTRL_C, undefined]);
  typeahead.push("one\rtwo");
  typeahead.restore([{ kind: "keys", text: "zero" }]);
  assert.deepEqual(typeahead.drain().map(({ text }) => text), ["zero", "one\rtwo"]);
  assert.equal(typeahead.shift(), undefined);
});
