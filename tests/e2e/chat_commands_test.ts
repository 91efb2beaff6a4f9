/** The slash commands and keys of `flexllm chat` on a terminal. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { conversations, until } from "../support/chats.ts";
import { flexllm } from "../support/cli.ts";
import { startRawServer } from "../support/raw_server.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary_folder.ts";
import {
  startOnTerminal,
  type TerminalOptions,
  type TestTerminal,
  withoutTerminal,
} from "../support/terminal.ts";
import { watchedMock } from "../support/watched_mock.ts";

/** A test that needs a pseudoterminal; ignored where none is available. */
function terminalTest(name: string, body: () => Promise<void>): void {
  Deno.test({ name, ignore: withoutTerminal, fn: body });
}

/** Starts a chat and waits for its prompt. */
async function chat(args: string[], options?: TerminalOptions): Promise<TestTerminal> {
  const terminal = startOnTerminal(["chat", ...args], options);
  await terminal.shows(/^>$/m);
  return terminal;
}

/** Writes a shell script to the folder `bin` of the home directory. */
function script(home: TemporaryFolder, name: string, commands: string): string {
  mkdirSync(home.file("bin"), { recursive: true });
  const file = home.write(join("bin", name), `#!/bin/sh\n${commands}\n`);
  chmodSync(file, 0o755);
  return file;
}

const DONE = / out · [^]*^>$/m;

terminalTest('"exit" and "quit" end the chat, and a leading space sends them', async () => {
  await using mock = await watchedMock({ length: 30 });
  const args = ["-m", "m", "--base-url", mock.baseUrl];
  for (const word of ["exit", "Quit "]) {
    await using terminal = await chat(args);
    terminal.type(`${word}\r`);
    assert.equal(await terminal.finished, 0);
  }
  assert.equal(mock.requests.length, 0);
  await using terminal = await chat(args);
  terminal.type(" exit\r");
  await terminal.shows(DONE);
  terminal.type("how do I exit vim?\r");
  await until(() => mock.requests.length === 2);
  assert.equal(mock.requests[0].messages[0].content, "exit");
});

terminalTest("Ctrl-R finds a message of an earlier session and sends it", async () => {
  using home = temporaryFolder();
  mkdirSync(home.file(".flexllm"));
  home.write(".flexllm/history", "name a lake\nname a⏎river\nsomething else\n");
  await using mock = await watchedMock({ length: 30 });
  await using terminal = await chat(["-m", "m", "--base-url", mock.baseUrl], { home });
  terminal.type("half a line\x12name");
  await terminal.shows("(search history) name: name a⏎river");
  terminal.type("\x12");
  await terminal.shows("(search history) name: name a lake");
  terminal.type("\x07");
  await terminal.shows("> half a line");
  terminal.type("\x12RIVER");
  await terminal.shows("(not found) RIVER:");
  // A lone Escape cancels, without waiting for the next key.
  terminal.type("\x1b");
  await terminal.shows("> half a line");
  terminal.type("\x12river\r");
  await until(() => mock.requests.length === 1);
  assert.equal(mock.requests[0].messages[0].content, "name a\nriver");
});

terminalTest("/copy uses the tool of the desktop, or else asks the terminal", async () => {
  using home = temporaryFolder();
  const copied = home.file("copied.txt");
  script(home, "xsel", `cat > '${copied}'`);
  const PATH = `${home.file("bin")}:${process.env.PATH}`;
  const answer = "Use this:\n```sh\nls -l\n```\nor\n```\npwd\n```\n";
  await using server = await startRawServer((socket) => {
    const event = JSON.stringify({ choices: [{ delta: { content: answer } }] });
    socket.end(
      "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n" +
        `data: ${event}\n\ndata: [DONE]\n\n`,
    );
  });
  const args = ["-m", "m", "--base-url", server.baseUrl, "--raw"];
  await using terminal = await chat(args, { home, env: { DISPLAY: ":99", PATH } });
  terminal.type("/copy\r");
  await terminal.shows("There is no answer to copy.");
  terminal.type("how?\r");
  await terminal.shows(/unknown tokens[^]*^>$/m);
  terminal.type("/copy\r");
  await terminal.shows("Copied the last answer (41 characters) with xsel.");
  assert.equal(home.read("copied.txt"), answer);
  terminal.type("/copy code\r");
  await terminal.shows("Copied code block 2 of 2 (3 characters) with xsel.");
  assert.equal(home.read("copied.txt"), "pwd");
  terminal.type("/copy code 1\r");
  await terminal.shows("Copied code block 1 of 2 (5 characters) with xsel.");
  assert.equal(home.read("copied.txt"), "ls -l");
  terminal.type("/copy all\r");
  await terminal.shows("Copied the conversation");
  assert.match(home.read("copied.txt"), /## User\n\nhow\?\n\n## Assistant\n\nUse this:/);
  terminal.type("/copy code 3\r");
  await terminal.shows("The last answer has 2 code blocks.");
  terminal.type("/copy cods\r");
  await terminal.shows("error: /copy cods: expected code, code NUMBER or all");
  terminal.type("exit\r");
  await terminal.finished;

  await using remote = await chat([...args, "--continue"], {
    home,
    env: { SSH_TTY: "/dev/pts/9" },
  });
  remote.type("/copy code 1\r");
  await remote.shows("Copied code block 1 of 2 (5 characters) through the terminal");
  assert.ok(remote.written().includes(`\x1b]52;c;${btoa("ls -l")}\x07`));
});

terminalTest("/edit writes a message in the editor, or changes the last one", async () => {
  using home = temporaryFolder();
  await using mock = await watchedMock({ length: 30 });
  home.write("notes.txt", "These are the notes.");
  // Does what the file "todo" says, with the text as its input.
  const editor = script(home, "editor", `cp "$1" '${home.path}/seen'; . '${home.path}/todo'`);
  const env = { VISUAL: editor, PATH: process.env.PATH! };
  const args = ["-m", "m", "--base-url", mock.baseUrl];
  await using terminal = await chat(args, { home, env });
  const edit = (todo: string, command: string) => {
    home.write("todo", todo);
    terminal.type(`${command}\r`);
  };
  edit("true", "/edit");
  await terminal.shows("The message is empty. Nothing was sent.");
  edit("exit 1", "/edit draft");
  await terminal.shows(/Nothing was sent\.\s+error: the editor .* failed \(exit code 1\)/);
  edit("true", "/edit last");
  await terminal.shows("There is no message to edit.");
  assert.equal(mock.requests.length, 0);

  terminal.type("/file notes.txt\r");
  await terminal.shows("Attached notes.txt.");
  edit('printf "more\\n\\n" >> "$1"', "/edit draft");
  await terminal.shows(/^> draft\nmore\n\nYou asked[^]* out · [^]*^>$/m);
  assert.equal(home.read("seen"), "draft\n");
  const file = '<file name="notes.txt">\nThese are the notes.\n</file>\n\n';
  assert.equal(mock.requests[0].messages[0].content, `${file}draft\nmore`);

  edit("true", "/edit last");
  await terminal.shows("The message was not changed.");
  assert.equal(home.read("seen"), "draft\nmore\n");
  edit('echo changed > "$1"', "/edit last");
  await until(() => mock.requests.length === 2);
  await terminal.shows(/^> changed\n[^]* out · [^]*^>$/m);
  assert.deepEqual(mock.requests[1].messages, [{ role: "user", content: `${file}changed` }]);
  assert.deepEqual(conversations(home).map(({ turns }) => turns.length), [1]);
  // The terminal is in raw mode again, and the edited messages are in the history.
  terminal.type("\x1b[A\x1b[A\x1b[A");
  await terminal.shows("> draft⏎more");
});

terminalTest("/list, /resume, /title and /history manage saved conversations", async () => {
  using home = temporaryFolder();
  await using mock = await watchedMock({ length: 30 });
  await using other = await watchedMock({ length: 30 });
  const env = { HOME: home.path };
  const saved = (url: string) => ["-m", "saved", "--base-url", url];
  await flexllm(["chat", "about rivers", ...saved(other.baseUrl)], { env });
  await flexllm(["chat", "about lakes", "-m", "mock"], { env });
  await using terminal = await chat(["-m", "m", "--base-url", mock.baseUrl], { home });
  terminal.type("/list\r");
  await terminal.shows(/^2 .* saved +about rivers\n1 .* mock +about lakes\n\/resume NUMBER/m);
  terminal.type("/list RIVERS\r");
  await terminal.shows(/\/list RIVERS\n.*\n2 .* about rivers\n\/resume NUMBER opens one\.\n>$/);
  terminal.type("/list volcano\r");
  await terminal.shows('No saved conversation contains "volcano".');

  terminal.type("/resume\r");
  await terminal.shows("Which one? Type its number, or press Enter to cancel:");
  terminal.type("\r");
  await terminal.shows("Nothing was changed.");
  terminal.type("/resume river\r");
  await terminal.shows(/Resuming "about rivers" \(1 turn, saved, .*\n\n> about rivers\n[^]*^>$/m);
  terminal.type("and more\r");
  await until(() => other.requests.length === 2);
  assert.deepEqual([other.requests[1].model, other.requests[1].messages.length], ["saved", 3]);
  await terminal.shows(/> and more\n[^]* out · [^]*^>$/m);
  terminal.type("/title Water\r");
  await terminal.shows("title: Water");
  terminal.type("/history 1\r");
  await terminal.shows(/\/history 1\n\n> and more\n\nYou asked: "and more"/);
  terminal.type("/resume 1\r");
  await terminal.shows("This is the current conversation.");
  terminal.type("/resume volcano\r");
  await terminal.shows(/error: there is no conversation "volcano"\n.*\/list in a chat\./);
  // Both conversations contain the word; one is the current one.
  terminal.type("/resume about\r");
  await terminal.shows(/Resuming "about lakes" \(1 turn, mock/);
  terminal.type("/cost\r");
  await terminal.shows(/1 answer: \d+ tokens? in, \d+ out$/m);
  assert.equal(mock.requests.length, 0);
  assert.deepEqual(conversations(home).map(({ title }) => title), ["Water", undefined]);
});

terminalTest(
  "/resume continues with a copy if another chat has the conversation open",
  async () => {
    using home = temporaryFolder();
    await using first = await chat(["-m", "mock"], { home });
    first.type("shared words\r");
    await first.shows(DONE);
    await using second = await chat(["-m", "mock"], { home });
    second.type("/resume shared\r");
    await second.shows(
      /It is open in another process\. Continuing with a copy\.\nResuming "shared/,
    );
    const deleted = await flexllm(["chat", "--delete", "1"], { env: { HOME: home.path } });
    assert.equal(deleted.code, 1);
    assert.match(deleted.stderr, /the conversation \S+ is open in another process/);
  },
);

terminalTest("/model completes the models of the server, and warns about others", async () => {
  await using mock = await watchedMock({ models: ["alpha-large", "alpha-small"], length: 30 });
  await using terminal = await chat(["-m", "m", "--base-url", mock.baseUrl]);
  terminal.type("/model al\t");
  await terminal.shows("> /model alpha-");
  terminal.type("\t");
  await terminal.shows(/^alpha-large +alpha-small\n> \/model alpha-$/m);
  terminal.type("s\t\r");
  await terminal.shows("Switched from m to alpha-small.");
  terminal.type("/model alpha-smal\r");
  await terminal.shows(
    /does not list a model called alpha-smal\. Did you mean\s+alpha-small\?/,
  );
  terminal.type("/model alpha-large\r");
  await terminal.shows("Switched from alpha-smal to alpha-large.");
  terminal.type("hi\r");
  await terminal.shows(DONE);
  assert.equal(mock.requests.at(-1).model, "alpha-large");
});

terminalTest("a level of thinking that the model refuses can be changed and retried", async () => {
  await using mock = await watchedMock({ length: 30 });
  const args = ["-m", "gpt-5.4", "--base-url", mock.baseUrl];
  await using terminal = await chat(args);
  terminal.type("/thinking 2048\r");
  await terminal.shows("thinking: 2048");
  terminal.type("hello\r");
  await terminal.shows(/error: .*--thinking as a number[^]*or none with \/thinking default/);
  terminal.type("/thinking default\r/retry\r");
  await terminal.shows(DONE);
  assert.deepEqual(mock.requests.map(({ messages }) => messages.at(-1).content), ["hello"]);
});

terminalTest("/save offers to create a missing folder", async () => {
  using home = temporaryFolder();
  await using terminal = await chat(["-m", "mock"], { home });
  terminal.type("hello\r");
  await terminal.shows(DONE);
  terminal.type("/save new/folder/chat.md\r");
  await terminal.shows("The folder new/folder does not exist. Create it? [y/N]");
  terminal.type("y\r");
  await terminal.shows("Saved to new/folder/chat.md.");
  assert.ok(existsSync(home.file("new/folder/chat.md")));
});

terminalTest("files are attached with -f and /file, several at once", async () => {
  using home = temporaryFolder();
  home.write("a.txt", "AAA");
  home.write("b c.txt", "BBB");
  home.write("d.txt", "DDD");
  await using mock = await watchedMock({ length: 30 });
  const args = ["-m", "m", "--base-url", mock.baseUrl, "-f", "a.txt", "-f", "d.txt"];
  await using terminal = await chat(args, { home });
  await terminal.shows("Attached to your first message: a.txt (3 B), d.txt (3 B).");
  terminal.type("/file none\r");
  await terminal.shows("Nothing is attached now.");
  terminal.type("/file b c.txt\r");
  await terminal.shows("Attached b c.txt. It is sent with your next message.");
  terminal.type('/file a.txt "d.txt"\r');
  await terminal.shows("Attached a.txt, d.txt. They are sent with your next message.");
  // If one cannot be read, none is attached.
  terminal.type("/file a.txt missing.txt\r");
  await terminal.shows("missing.txt");
  terminal.type("/file\r");
  await terminal.shows("Attached: b c.txt (3 B), a.txt (3 B), d.txt (3 B).");
  terminal.type("read\r");
  await until(() => mock.requests.length === 1);
  const { content } = mock.requests[0].messages[0];
  assert.match(content, /BBB[^]*AAA[^]*DDD[^]*read$/);
  await using started = await chat(["hello", ...args.slice(0, -2)], { home });
  await started.shows(/Attached to your first message: a\.txt \(3 B\)\.\s+> hello/);
  const wrong = await flexllm(["chat", "x", "-m", "mock", "-f", "missing.txt"]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /^error: .*missing\.txt/);
});

terminalTest("a long paste without bracketed paste, and emoji at the end of a row", async () => {
  await using mock = await watchedMock({ length: 30 });
  await using terminal = await chat(["-m", "m", "--base-url", mock.baseUrl]);
  const long = "0123456789".repeat(1000);
  terminal.type(long);
  await terminal.shows(/\d{99}\n789$/);
  terminal.type("\r");
  await until(() => mock.requests.length === 1);
  assert.equal(mock.requests[0].messages[0].content, long);
  await terminal.shows(DONE);
  const family = "👨‍👩‍👧";
  const text = `${"x".repeat(96)}${family}日本`;
  // Deletes the emoji as one character.
  terminal.type(`${text}\x1b[D\x1b[D\x7f`);
  await terminal.shows(new RegExp(`^> x{96}\\n日本$`, "m"));
  terminal.type("\r");
  await until(() => mock.requests.length === 2);
  assert.equal(mock.requests[1].messages.at(-1).content, `${"x".repeat(96)}日本`);
});

terminalTest("the price is shown where one is known, also for a local server", async () => {
  using home = temporaryFolder();
  await using mock = await watchedMock({ length: 30 });
  home.write(
    "flexllm_config.yaml",
    `models:\n  - {id: m, base_url: "${mock.baseUrl}", price: {input: 1000000, output: 0}}\n`,
  );
  await using terminal = await chat([], { home });
  terminal.type("x\r");
  await terminal.shows(/m · 1 token in, \d+ out · \$1\.00 · [\d.]+ s\n\n>$/);
  terminal.type("/cost\r");
  await terminal.shows(/1 answer: 1 token in, \d+ out · \$1\.00/);
});

Deno.test("deleting needs every conversation to be found, and asks on a terminal", async () => {
  using home = temporaryFolder();
  const env = { HOME: home.path };
  for (const first of ["one", "two", "three"]) {
    await flexllm(["chat", first, "-m", "mock"], { env });
  }
  const wrong = await flexllm(["chat", "--delete", "1", "nothing"], { env });
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /there is no conversation "nothing"/);
  assert.equal(conversations(home).length, 3);
  if (!withoutTerminal) {
    await using terminal = startOnTerminal(["chat", "--delete", "2"], { home });
    await terminal.shows(/two[^]*Delete 1 conversation\?/);
    terminal.type("n");
    await terminal.shows("nothing was deleted");
  }
  assert.equal(conversations(home).length, 3);
  assert.equal((await flexllm(["chat", "--delete", "1", "2", "--yes"], { env })).code, 0);
  assert.deepEqual(conversations(home).map(({ turns }) => turns[0].user.content), ["one"]);
});

Deno.test("--list has a limit and a search, and the newest conversation is last", async () => {
  using home = temporaryFolder();
  const env = { HOME: home.path };
  mkdirSync(home.file(".flexllm/conversations"), { recursive: true });
  for (let i = 1; i <= 22; i++) {
    const id = `20260101-0000${String(i).padStart(2, "0")}-000abcd`;
    const user = { role: "user", content: i === 7 ? "about volcanoes" : `question ${i}` };
    const turns = [{ at: "", user }];
    const text = JSON.stringify({ version: 1, id, created: "", model: "m", turns });
    home.write(`.flexllm/conversations/${id}.json`, text);
  }
  const list = (...args: string[]) => flexllm(["chat", "--list", ...args], { env });
  const all = await list();
  assert.equal(all.stdout.trimEnd().split("\n").length, 21);
  assert.match(all.stdout, /^ 1 .*\n$/m);
  assert.match(all.stderr, /^2 older conversations not shown; -n 22 lists them/);
  assert.equal((await list("-n", "22")).stdout.trimEnd().split("\n").length, 23);
  const found = await list("VOLCANO");
  assert.match(found.stdout, /^.*\n.* about volcanoes\n$/);
  assert.equal(JSON.parse((await list("--json")).stdout).length, 22);
  assert.equal(JSON.parse((await list("--json", "-n", "2")).stdout).length, 2);
  const none = await list("zzz");
  assert.deepEqual([none.code, none.stderr], [0, 'No saved conversation contains "zzz".\n']);
  const wrong = await flexllm(["chat", "-n", "3", "x"], { env });
  assert.match(wrong.stderr, /--count requires --list/);
});
