/** The parts of a chat: rendering, pastes, messages of several lines, kept conversations. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import stringWidth from "fast-string-truncated-width";
import { MarkdownStream } from "../../../commands/terminal/markdown/markdown_stream.ts";
import { MessageLines } from "../../../commands/chat/editor/message_lines.ts";
import { Pastes, PasteSplitter } from "../../../commands/chat/editor/paste.ts";
import { History } from "../../../commands/chat/editor/history.ts";
import {
  printable,
  printableJson,
  printableLine,
  printableStyled,
} from "../../../commands/terminal/sanitize.ts";
import { fillTemplate } from "../../../lib/config/templates.ts";
import { loadConfig } from "../../../lib/config/load.ts";
import { requestMessages, titleOf } from "../../../lib/conversations/conversation.ts";
import { toMarkdown } from "../../../lib/conversations/export.ts";
import { ConversationStore, copyOf, newConversation } from "../../../lib/conversations/store.ts";
import { ConfigurationError, InvalidInputError } from "../../../lib/errors.ts";
import { messageWith, readAttachment } from "../../../lib/input/attachment.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

/** Renders Markdown that arrives in pieces of `size` characters. */
function render(markdown: string, size = markdown.length, columns = Infinity): string {
  const stream = new MarkdownStream(() => columns);
  let shown = "";
  for (let i = 0; i < markdown.length; i += size) {
    shown += stream.write(markdown.slice(i, i + size));
  }
  return shown + stream.end();
}

function shownText(markdown: string): string {
  return stripVTControlCharacters(render(markdown));
}

Deno.test("Markdown is rendered", () => {
  const cases: [string, string][] = [
    ["## A *title*", "A title"],
    ["**b** __b__ *i* _i_ ***bi*** ~~s~~ `c` ``c`c``", "b b i i bi s c c`c"],
    ["- one\n  * two\n+ three\n- [ ] a\n- [x] b", "• one\n  • two\n• three\n☐ a\n☑ b"],
    ["1. one\n2) two", "1. one\n2) two"],
    ["> quote\n>> deeper", "│ quote\n│ │ deeper"],
    ["[text](http://a.b/c) and [x] and a[0](1)", "text (http://a.b/c) and [x] and a0 (1)"],
    ["| a | **b** |\n|---|---|", "| a | **b** |\n|---|---|"],
    ["```py\n# no *title*\n\n- x\n``\n```\n*i*", "```py\n# no *title*\n\n- x\n``\n```\ni"],
    ["~~~\n```\n~~~\n# t", "~~~\n```\n~~~\nt"],
    ["\\*not\\* it", "*not* it"],
    ["***\n---", `${"─".repeat(40)}\n${"─".repeat(40)}`],
  ];
  for (const [markdown, expected] of cases) assert.equal(shownText(markdown), expected);
  assert.equal(render("a **b** c"), "a \x1b[1mb\x1b[22m c");
  assert.equal(render("`x`"), "\x1b[36mx\x1b[39m");
});

Deno.test("what only looks like Markdown stays as it is", () => {
  for (
    const text of [
      "5 * 3 = 15 and 2 * 2",
      "snake_case_name and __init__x",
      "call f(**kwargs)",
      "a ` alone",
      "\\(x^2\\) and $5",
      "#hashtag",
      "-5 degrees",
      "--flag",
      "1.5 million",
      "~/folder and ~ 5",
      "**never closed",
      "array[0] [",
    ]
  ) assert.equal(render(text), text);
});

Deno.test("Markdown looks the same however its pieces are cut, and nothing of it is held back", () => {
  const piece = fc.constantFrom(
    ..."*_`~#->|[]()\\ \n",
    ...["a", "word ", "1. ", "```", "**", "- [ ] ", "\n\n", "http://x.y"],
  );
  fc.assert(fc.property(fc.array(piece, { maxLength: 40 }), fc.nat(6), (pieces, size) => {
    const markdown = pieces.join("");
    const whole = stripVTControlCharacters(render(markdown));
    assert.equal(stripVTControlCharacters(render(markdown, size + 1)), whole);
  }));
  const stream = new MarkdownStream();
  assert.equal(
    stream.write("A plain sentence, not yet at its end"),
    "A plain sentence, not yet at its end",
  );
  assert.equal(stripVTControlCharacters(stream.write(" **bold** and")), " bold and");
});

Deno.test("lines are broken between words, below their item or quote, but not in code and tables", () => {
  const cases: [string, string][] = [
    ["one two three four five", "one two three four\nfive"],
    ["exactly twenty chars", "exactly twenty chars"],
    ["a **bold word and more**", "a bold word and more"],
    ["and **bold words** of it", "and bold words of it"],
    ["so **bold words** of it go on", "so bold words of it\ngo on"],
    ["- an item that is too long", "• an item that is\n  too long"],
    ["10. an item that is long", "10. an item that is\n    long"],
    ["> a quote that is too long", "│ a quote that is\n│ too long"],
    ["```\ncode that is as long as it is\n```", "```\ncode that is as long as it is\n```"],
    ["| a table | that is | wide |", "| a table | that is | wide |"],
    ["http://a.b/a-very-long-address x", "http://a.b/a-very-long-address x"],
    ["看 https://a.b/c/d 看看看看看", "看 https://a.b/c/d\n看看看看看"],
    ["背压是一种让快的一方等慢的一方的办法", "背压是一种让快的一方\n等慢的一方的办法"],
  ];
  for (const [markdown, expected] of cases) {
    assert.equal(stripVTControlCharacters(render(markdown, markdown.length, 20)), expected);
  }
});

Deno.test("broken lines fit, say the same, and look the same however the pieces are cut", () => {
  const word = fc.constantFrom("a", "word", "**bold**", "`code`", "a-longer-word", "背压", "\n");
  const width = fc.constantFrom(20, 40);
  fc.assert(
    fc.property(fc.array(word, { maxLength: 60 }), fc.nat(6), width, (words, size, width) => {
      const markdown = words.join(" ");
      const whole = stripVTControlCharacters(render(markdown, markdown.length, width));
      assert.equal(stripVTControlCharacters(render(markdown, size + 1, width)), whole);
      const letters = (text: string) => text.replace(/\s/g, "");
      assert.equal(letters(whole), letters(shownText(markdown)));
      for (const line of whole.split("\n")) assert.ok(stringWidth(line).width <= width, line);
    }),
  );
  const stream = new MarkdownStream(() => 80);
  assert.equal(stream.write("Half a sent"), "Half a sent", "far from the end nothing is held back");
});

Deno.test("a model that writes nothing but markers does not stop the program", () => {
  // Were its time more than in proportion to the text, this would take minutes.
  for (const marker of ["*a ", "`", "[", "**a", "_a ", "~~x"]) render(marker.repeat(20_000));
});

Deno.test("control characters become visible signs", () => {
  assert.equal(printable("a\x1b[2J\x07\x9b31m\x7f\r\nb\tc"), "a␛[2J␇\ufffd31m␡\nb\tc");
  assert.equal(printable("日本語 😀 é"), "日本語 😀 é");
  assert.equal(printable("a\u202eb\u2066c\u200f שלום"), "a\ufffdb\ufffdc\u200f שלום");
  assert.equal(
    printableStyled("\x1b[31mred\x1b[0m\x1b[2J\u009b1m"),
    "\x1b[31mred\x1b[0m␛[2J\ufffd1m",
  );
  assert.equal(printableLine(" a\x1b[31m\nb\tc\u202ed\x7f "), "a b c\ufffdd");
  const json = printableJson(JSON.stringify({ a: "\u009b\x7f\u202e\u2069é" }, null, 2));
  assert.equal(json, '{\n  "a": "\\u009b\\u007f\\u202e\\u2069é"\n}');
});

Deno.test("pastes are found however the bytes are cut", () => {
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
  const sign = pastes.shorten(large);
  assert.equal(sign, "[paste 1: 50 lines]");
  assert.equal(pastes.expand(`see ${sign}!`), `see ${large.trimEnd()}!`);
});

Deno.test("messages of several lines", () => {
  const messages = (text: string) => {
    const lines = new MessageLines();
    return text.split("\n").flatMap((line) => lines.push(line) ?? []);
  };
  assert.deepEqual(messages("a\nb"), ["a", "b"]);
  assert.deepEqual(messages("a\\\nb\\\nc\nd"), ["a\nb\nc", "d"]);
  assert.deepEqual(messages('"""\na\n\n  b\n"""\nc'), ["a\n\n  b", "c"]);
  assert.deepEqual(messages('"""a\nb"""'), ["a\nb"]);
  assert.deepEqual(messages('"""a"""'), ["a"]);
  const lines = new MessageLines();
  lines.push('"""');
  lines.push("rest");
  assert.equal(lines.end(), "rest");
  assert.equal(lines.begun, false);
});

Deno.test("the history is bounded, private, without doubles and secrets", () => {
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

Deno.test("conversations are kept for their owner alone, and found by the start of their id", () => {
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

Deno.test("a broken conversation is told and does not hide the others", () => {
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

Deno.test("one process has a conversation at a time", async () => {
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

Deno.test("turns without an answer are not sent, and a document leaves out nothing said", () => {
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

Deno.test("files are attached as text or image, or refused", async () => {
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

Deno.test("templates of the configuration are filled in", () => {
  using folder = temporaryFolder();
  const file = folder.write(
    "c.yaml",
    `templates:
  short: "Sum up: {{input}}"
  translate: {prompt: "To {{ lang }}.", system: "You know {{lang}}."}
`,
  );
  const config = loadConfig({}, folder.path, file);
  const fill = (name: string, input: string, values: Record<string, string> = {}) =>
    fillTemplate(config, name, input, new Map(Object.entries(values)));
  assert.deepEqual(fill("short", "$& x"), { prompt: "Sum up: $& x", system: undefined });
  assert.deepEqual(fill("translate", "Hi", { lang: "French" }), {
    prompt: "To French.\n\nHi",
    system: "You know French.",
  });
  const mistakes: [() => unknown, RegExp][] = [
    [() => fill("shrt", "x"), /there is no template "shrt"/],
    [() => fill("toString", "x"), /there is no template "toString"/],
    [() => fill("short", ""), /needs a value for \{\{input\}\}/],
    [() => fill("translate", "x"), /needs a value for \{\{lang\}\}/],
    [() => fill("short", "x", { lang: "y" }), /has no place \{\{lang\}\}/],
  ];
  for (const [run, message] of mistakes) {
    assert.throws(
      run,
      (error) => error instanceof ConfigurationError && message.test(error.message),
    );
  }
  const wrong = folder.write("w.yaml", "templates:\n  a: {promt: x}\n");
  assert.throws(() => loadConfig({}, folder.path, wrong), /w\.yaml:2:\d+: templates\.a: expected/);
});
