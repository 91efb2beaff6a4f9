/** `flexllm chat` on a terminal. */
import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Socket } from "node:net";
import process from "node:process";
import { conversations, until } from "../support/chats.ts";
import {
  EVENT_STREAM_HEAD,
  FINISH_EVENT,
  startRawServer,
  textEvent,
} from "../support/raw_server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import {
  startOnTerminal,
  type TerminalOptions,
  type TestTerminal,
  withoutTerminal,
} from "../support/terminal.ts";
import { watchedMock } from "../support/watched_mock.ts";

const STYLES = ["\x1b[1m", "\x1b[2m", "\x1b[36m", "\x1b[4m"];

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

terminalTest("a chat answers, remembers, shows tokens and cost, and exits on Ctrl-D", async () => {
  using home = temporaryFolder();
  await using mock = await watchedMock({ length: 60 });
  await using terminal = await chat(["-m", "m", "--base-url", mock.baseUrl, "-s", "Be brief."], {
    home,
  });
  terminal.type("first question\r");
  await terminal.shows(/You asked: "first question"[^]*m · \d+ tokens in, \d+ out · \d/);
  terminal.type("second\r");
  await terminal.shows(/You asked: "second"[^]* out · [^]*^>$/m);
  terminal.type("\x04");
  assert.equal(await terminal.finished, 0);
  const [, { messages }] = mock.requests;
  // deno-lint-ignore no-explicit-any
  assert.deepEqual(messages.map(({ role }: any) => role), ["system", "user", "assistant", "user"]);
  assert.match(messages[2].content, /^You asked: "first question"/);
  assert.ok(terminal.written().endsWith("\x1b[?2004l"), "the terminal is restored");
  const [saved] = conversations(home);
  assert.equal(saved.turns.length, 2);
  assert.equal(saved.system, "Be brief.");
});

terminalTest("the first message can be given on the command line", async () => {
  await using terminal = startOnTerminal(["chat", "hello", "-m", "mock", "--no-stream"]);
  await terminal.shows(/^> hello\n\nYou asked: "hello"[^]* out · [^]*^>$/m);
  terminal.type("and more\r");
  await terminal.shows('You asked: "and more"');
});

terminalTest("Ctrl-C stops the answer, and pressed twice exits", async () => {
  using home = temporaryFolder();
  await using server = await startRawServer((socket) =>
    socket.write(EVENT_STREAM_HEAD + textEvent("Half an answer"))
  );
  await using terminal = await chat(["-m", "m", "--base-url", server.baseUrl], { home });
  terminal.type("go\r");
  await terminal.shows("Half an answer");
  assert.equal(server.closed(), 0);
  terminal.type("\x03");
  await terminal.shows(/Interrupted\. \/retry sends it again\.[^]*^>$/m);
  await until(() => server.closed() === 1);
  const [{ turns: [turn] }] = conversations(home);
  assert.equal(turn.assistant?.content, "Half an answer");
  assert.equal(turn.interrupted, true);

  terminal.type("typed");
  await terminal.shows("> typed");
  terminal.type("\x03");
  await terminal.shows("Press Ctrl-C again to exit.");
  terminal.type("\x03");
  assert.equal(await terminal.finished, 0);
});

terminalTest(
  "text typed after Ctrl-C is cleared by the next Ctrl-C before the chat exits",
  async () => {
    await using terminal = await chat(["-m", "mock"]);
    terminal.type("\x03");
    await terminal.shows("Press Ctrl-C again to exit.");
    terminal.type("half a question");
    await terminal.shows("> half a question");
    terminal.type("\x03");
    await terminal.shows(/Press Ctrl-C again[^]*Press Ctrl-C again/);
    terminal.type("\x03");
    assert.equal(await terminal.finished, 0);
  },
);

terminalTest("a multi-line paste is one message", async () => {
  await using mock = await watchedMock({ length: 30 });
  await using terminal = await chat(["-m", "m", "--base-url", mock.baseUrl]);
  terminal.type("see: \x1b[200~one\rtwo\n\tthree\x1b[201~");
  await terminal.shows("> see: one⏎two⏎⇥three");
  terminal.type(" end\r");
  await terminal.shows(/ out · [^]*^>$/m);
  const long = Array.from({ length: 500 }, (_, i) => `line ${i}`).join("\n");
  terminal.type(`\x1b[200~${long}\n\x1b[201~`);
  await terminal.shows("> [paste 1: 500 lines]");
  terminal.type("\r");
  await until(() => mock.requests.length === 2);
  assert.equal(mock.requests[0].messages[0].content, "see: one\ntwo\n\tthree end");
  assert.equal(mock.requests[1].messages.at(-1).content, long);
});

terminalTest("a backslash and triple quotes continue a message on the next line", async () => {
  await using mock = await watchedMock({ length: 30 });
  await using terminal = await chat(["-m", "m", "--base-url", mock.baseUrl]);
  terminal.type("one \\\r");
  await terminal.shows(/^…$/m);
  terminal.type("two\r");
  await terminal.shows(/ out · [^]*^>$/m);
  terminal.type('"""\ra\r\rb"""\r');
  await until(() => mock.requests.length === 2);
  assert.equal(mock.requests[0].messages[0].content, "one \ntwo");
  assert.equal(mock.requests[1].messages.at(-1).content, "a\n\nb");
});

terminalTest("lines can be edited, recalled across sessions, and completed", async () => {
  using home = temporaryFolder();
  await using mock = await watchedMock({ length: 30 });
  const args = ["-m", "m", "--base-url", mock.baseUrl];
  {
    await using terminal = await chat(args, { home });
    terminal.type("日本x\x1b[D\x1b[D本語\x1b[C\x1b[C\x7f\r");
    await terminal.shows(/ out · [^]*^>$/m);
    terminal.type(" secret\r");
    await until(() => mock.requests.length === 2);
    await terminal.shows(/secret[^]* out · [^]*^>$/m);
    terminal.type("/qui\t\r");
    assert.equal(await terminal.finished, 0);
  }
  assert.equal(mock.requests[0].messages[0].content, "日本語本");
  const file = join(home.path, ".flexllm", "history");
  assert.equal(readFileSync(file, "utf8"), "日本語本\n/quit \n");
  assert.equal(statSync(file).mode & 0o777, 0o600);

  home.write("some notes.txt", "These are the notes.");
  await using terminal = await chat(args, { home });
  terminal.type("\x1b[A\x1b[A");
  await terminal.shows("> 日本語本");
  terminal.type("\x15/mo\t");
  await terminal.shows("> /model");
  terminal.type("mo\t");
  await terminal.shows("> /model mock");
  terminal.type("\x15/file some\t");
  await terminal.shows("> /file some notes.txt");
  terminal.type("\r");
  await terminal.shows("Attached some notes.txt. It is sent with your next message.");
  terminal.type("read\r");
  await until(() => mock.requests.length === 3);
  assert.equal(
    mock.requests[2].messages[0].content,
    '<file name="some notes.txt">\nThese are the notes.\n</file>\n\nread',
  );
});

terminalTest("the line is wrapped again after a resize", async () => {
  await using mock = await watchedMock({ length: 30 });
  await using terminal = await chat(["-m", "m", "--base-url", mock.baseUrl]);
  const words = "word ".repeat(16);
  terminal.type(words);
  await terminal.shows(words.trim());
  terminal.resize(40);
  await terminal.shows(/^> (word ){7}wo\nrd (word ){7}w\nord$/m);
  terminal.type("end\r");
  await until(() => mock.requests.length === 1);
  assert.equal(mock.requests[0].messages[0].content, `${words}end`);
});

terminalTest("answers are rendered and cannot control the terminal", async () => {
  const answer = "# Title\n\nA **bold** \x1b]0;owned\x07\x1b[2Jword and `code`.\n";
  await using server = await startRawServer((socket) => {
    socket.end(EVENT_STREAM_HEAD + [...answer].map(textEvent).join("") + FINISH_EVENT);
  });
  const args = ["-m", "m", "--base-url", server.baseUrl];
  await using terminal = await chat(args);
  terminal.type("x\r");
  await terminal.shows(/Title\n\nA bold ␛\]0;owned␇␛\[2Jword and code\.\n\ntest-model · /);
  assert.ok(terminal.written().includes("\x1b[1mbold\x1b[22m"));
  for (const [flag, env] of [["--raw", {}], ["--no-color", {}], ["", { NO_COLOR: "1" }]] as const) {
    await using terminal = await chat([...args, ...flag === "" ? [] : [flag]], { env });
    terminal.type("x\r");
    await terminal.shows(
      /# Title\n\nA \*\*bold\*\* ␛\]0;owned␇␛\[2Jword and `code`\.\n\ntest-model · /,
    );
    if (flag !== "--raw") assert.ok(!STYLES.some((style) => terminal.written().includes(style)));
  }
});

terminalTest("thinking is shown dimmed", async () => {
  await using mock = await watchedMock({ length: 30 });
  await using terminal = await chat(["-m", "m", "--base-url", mock.baseUrl]);
  terminal.type("/thinking on\r");
  await terminal.shows("thinking: on");
  terminal.type("x\r");
  await terminal.shows(/^The user asks something\..*\n\nYou asked: "x"/m);
  assert.ok(terminal.written().includes("\x1b[2mThe"));
});

terminalTest(
  "/retry, /undo, /clear, /system, /temperature, /cost, /save and an unknown command",
  async () => {
    using home = temporaryFolder();
    await using mock = await watchedMock({ length: 30 });
    await using terminal = await chat(["-m", "m", "--base-url", mock.baseUrl], { home });
    const isReady = () => terminal.shows(/^>$/m);
    terminal.type("one\r");
    await terminal.shows(/ out · [^]*^>$/m);
    terminal.type("/temperature 0.5\r");
    await terminal.shows("temperature: 0.5");
    terminal.type("/system Talk like a pirate.\r");
    await terminal.shows("Applies from the next message.");
    terminal.type("/retry\r");
    await until(() => mock.requests.length === 2);
    assert.deepEqual(mock.requests[1].messages, [
      { role: "system", content: "Talk like a pirate." },
      { role: "user", content: "one" },
    ]);
    assert.equal(mock.requests[1].temperature, 0.5);
    await terminal.shows(/ out · [^]* out · [^]*^>$/m);
    terminal.type("/cost\r");
    await terminal.shows(/1 answer: \d+ tokens? in, \d+ out$/m);
    terminal.type("/save chat.md\r");
    await terminal.shows("Saved to chat.md.");
    assert.match(
      home.read("chat.md"),
      /## System\n\nTalk like a pirate\.\n\n## User\n\none\n\n## Ass/,
    );
    // Text typed before the question appeared is not taken as its answer.
    terminal.type("/save chat.md\r/cost\r");
    await terminal.shows("chat.md already exists. Overwrite it? [y/N]");
    terminal.type("n\r");
    await terminal.shows(/Not saved\.\s+> \/cost\s/);
    terminal.type("/undo\r");
    await terminal.shows('Removed "one".');
    await isReady();
    assert.deepEqual(conversations(home), []);
    terminal.type("/cost\r");
    await terminal.shows("0 answers: 0 tokens in, 0 out");
    terminal.type("/save nowhere/chat.md\r");
    await terminal.shows("The folder nowhere does not exist. Create it? [y/N]");
    terminal.type("n\r");
    await terminal.shows(/Create it[^]*Not saved\.[^]*^>$/m);
    terminal.type("/modle x\r");
    await terminal.shows(/error: unknown command \/modle\nDid you mean \/model\?/);
    terminal.type("/temperature hot\r");
    await terminal.shows("error: /temperature hot: expected a number from 0 to 2.");
    terminal.type("/clear\r");
    await terminal.shows("Started a new conversation.");
    terminal.type("/usr/bin is what?\r");
    await until(() => mock.requests.length === 3);
    assert.equal(mock.requests[2].messages.at(-1).content, "/usr/bin is what?");
    await until(() => conversations(home).length === 1);
  },
);

terminalTest("a failed request is reported, and the chat continues", async () => {
  using home = temporaryFolder();
  let answers = 0;
  await using server = await startRawServer((socket) => {
    if (answers++ !== 1) socket.end("HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n");
    else socket.end(EVENT_STREAM_HEAD + textEvent("Now it works.") + FINISH_EVENT);
  });
  await using terminal = await chat(["-m", "m", "--base-url", server.baseUrl], { home });
  terminal.type("x\r");
  await terminal.shows(/error: the server answered 401[^]*No key was sent[^]*^>$/m);
  terminal.type("/retry\r");
  await terminal.shows(/Now it works\.[^]*unknown tokens · [^]*^>$/m);
  // After a failed retry, the old answer remains.
  terminal.type("/retry\r");
  await terminal.shows(/unknown tokens[^]*error: the server answered 401[^]*^>$/m);
  assert.deepEqual(conversations(home)[0].turns.map(({ assistant }) => assistant?.content), [
    "Now it works.",
  ]);
});

terminalTest("SIGTERM restores the terminal and saves the partial answer", async () => {
  using home = temporaryFolder();
  await using server = await startRawServer((socket) =>
    socket.write(EVENT_STREAM_HEAD + textEvent("Half an answer"))
  );
  await using terminal = await chat(["-m", "m", "--base-url", server.baseUrl], { home });
  terminal.type("go\r");
  await terminal.shows("Half an answer");
  process.kill(terminal.pid(), "SIGTERM");
  assert.equal(await terminal.finished, 130);
  assert.ok(terminal.written().includes("\x1b[?2004l"));
  assert.equal(conversations(home)[0].turns[0].assistant?.content, "Half an answer");
});

terminalTest("Ctrl-Z suspends the chat, which resumes with the same line", async () => {
  await using mock = await watchedMock({ length: 30 });
  await using terminal = await chat(["-m", "m", "--base-url", mock.baseUrl]);
  terminal.type("half");
  await terminal.shows("> half");
  terminal.type("\x1a");
  await until(() => terminal.written().includes("\x1b[?2004l"));
  process.kill(terminal.pid(), "SIGCONT");
  await until(() => terminal.written().split("\x1b[?2004h").length === 3);
  terminal.type(" a question\r");
  await until(() => mock.requests.length === 1);
  assert.equal(mock.requests[0].messages[0].content, "half a question");
});

terminalTest(
  "Ctrl-Z during an answer suspends the chat, and the answer continues afterwards",
  async () => {
    const sockets: Socket[] = [];
    await using server = await startRawServer((socket) => {
      sockets.push(socket);
      socket.write(EVENT_STREAM_HEAD + textEvent("Half an answer"));
    });
    await using terminal = await chat(["-m", "m", "--base-url", server.baseUrl]);
    terminal.type("go\r");
    await terminal.shows("Half an answer");
    terminal.type("\x1a");
    await until(() => terminal.written().includes("\x1b[?2004l"));
    process.kill(terminal.pid(), "SIGCONT");
    await until(() => terminal.written().split("\x1b[?2004h").length === 3);
    sockets[0].end(textEvent(" and the rest") + FINISH_EVENT);
    await terminal.shows(/Half an answer and the rest\n\ntest-model · [^]*^>$/m);
  },
);

terminalTest(
  "two chats can use one conversation at the same time",
  async () => {
    using home = temporaryFolder();
    await using mock = await watchedMock({ length: 30 });
    const args = ["-m", "m", "--base-url", mock.baseUrl];
    await using first = await chat(args, { home });
    first.type("from the first\r");
    await first.shows(/ out · [^]*^>$/m);
    await using second = await chat(["--continue", "-m", "m", "--base-url", mock.baseUrl], {
      home,
    });
    const shown = await second.shows(/^>$/m);
    assert.match(shown, /This conversation is open in another process\. Continuing with a copy\./);
    assert.match(shown, /Resuming "from the first" \(1 turn, m, /);
    assert.match(shown, /> from the first\n\nYou asked: "from the first"/);
    second.type("from the second\r");
    await second.shows(/from the second"[^]* out · [^]*^>$/m);
    first.type("again the first\r");
    await first.shows(/again the first"[^]* out · [^]*^>$/m);
    const prompts = conversations(home).map(({ turns }) => turns.map(({ user }) => user.content));
    assert.deepEqual(prompts, [
      ["from the first", "again the first"],
      ["from the first", "from the second"],
    ]);
  },
);

terminalTest(
  "a redirected stdout gets unrendered answers, the terminal gets the prompts",
  async () => {
    using home = temporaryFolder();
    await using terminal = await chat(["-m", "mock"], { home, redirect: "> out.txt" });
    terminal.type("hello\r");
    await terminal.shows(/ out · [^]*^>$/m);
    terminal.type("\x04");
    await terminal.finished;
    assert.match(home.read("out.txt"), /^You asked: "hello"[\w\s.,]*\n$/);
    assert.doesNotMatch(await terminal.screen(), /You asked/);
  },
);

terminalTest(
  "an answer survives a resize, and a character split into two events is whole",
  async () => {
    const sockets: Socket[] = [];
    const half = (unit: string) => textEvent("?").replace("?", unit);
    await using server = await startRawServer((socket) => {
      sockets.push(socket);
      socket.write(EVENT_STREAM_HEAD + textEvent("begun ") + half("\\ud83c"));
    });
    await using terminal = await chat(["-m", "m", "--base-url", server.baseUrl]);
    terminal.type("go\r");
    await terminal.shows("begun");
    terminal.resize(30);
    sockets[0].end(half("\\udf89") + textEvent(" and the end") + FINISH_EVENT);
    await terminal.shows(/^begun 🎉 and the end$/m);
  },
);

terminalTest(
  "a notice is shown while an answer has not started, and then erased",
  async () => {
    const sockets: Socket[] = [];
    await using server = await startRawServer((socket) => sockets.push(socket));
    await using terminal = await chat(["-m", "m", "--base-url", server.baseUrl]);
    terminal.type("go\r");
    await terminal.shows(/^> go\n\n\S waiting for the answer; press Ctrl-C to stop$/m);
    sockets[0].end(EVENT_STREAM_HEAD + textEvent("Here it is.") + FINISH_EVENT);
    await terminal.shows(/^> go\n\nHere it is\.\n\ntest-model · [^]*^>$/m);
    terminal.type("more\r");
    await terminal.shows(/^> more\n\n\S waiting for the answer/m);
    terminal.type("\x03");
    await terminal.shows(/^> more\n\nInterrupted\. \/retry sends it again\.\n\n>$/m);
  },
);

terminalTest(
  "/image attaches an image, and /model switches within a conversation",
  async () => {
    using home = temporaryFolder();
    await using mock = await watchedMock({ length: 30 });
    home.write(
      "flexllm_config.yaml",
      `models:\n  - {id: m2, name: other, base_url: "${mock.baseUrl}"}\n`,
    );
    const png =
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGD4DwABBAEAX+XDSwAAAABJRU5ErkJggg==";
    writeFileSync(home.file("dot.png"), png, "base64");
    await using terminal = await chat(["-m", "m1", "--base-url", mock.baseUrl], { home });
    terminal.type("/image dot.png\r");
    await terminal.shows("Attached dot.png. It is sent with your next message.");
    terminal.type("what is it?\r");
    await terminal.shows(/ out · [^]*^>$/m);
    const [image, text] = mock.requests[0].messages[0].content;
    assert.equal(image.image_url.url, `data:image/png;base64,${png}`);
    assert.equal(text.text, "what is it?");
    terminal.type("/model\r");
    await terminal.shows(/^\* m1\n {2}other\n {2}mock$/m);
    terminal.type("/model other\r");
    await terminal.shows("Switched from m1 to other (m2).");
    terminal.type("and now?\r");
    await until(() => mock.requests.length === 2);
    assert.deepEqual([mock.requests[1].model, mock.requests[1].messages.length], ["m2", 3]);
  },
);

terminalTest("/help wraps lines between words, also on a narrow terminal", async () => {
  await using terminal = await chat(["-m", "mock"]);
  for (const columns of [80, 30]) {
    // Before the next line, so that the chat has processed the resize when it answers.
    terminal.resize(columns);
    terminal.type("/clear\r");
    await terminal.shows(/conversation\.\s+>$/);
    terminal.type("/help\r");
    const screen = await terminal.shows(/Ctrl-D\s+exits\.\n>$/);
    const help = screen.slice(screen.lastIndexOf("/model [NAME]"));
    for (const word of ["provider's", "history.", "conversation;", "default"]) {
      assert.ok(help.split(/\s/).includes(word), `${word} at ${columns} columns:\n${help}`);
    }
  }
});

terminalTest(
  "on a dumb terminal, a chat reads line by line, and Ctrl-C exits",
  async () => {
    const env = { TERM: "dumb" };
    await using terminal = await chat(["-m", "mock"], { env });
    await terminal.shows("Chatting with mock. Press Ctrl-D to exit.");
    terminal.type("hello\n");
    await terminal.shows(/^> hello\nYou asked: "hello"[^]*\n>$/m);
    terminal.type("\x03");
    assert.equal(await terminal.finished, 130);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(terminal.written(), /\x1b/);
    await using second = await chat(["-m", "mock"], { env });
    second.type("\x04");
    assert.equal(await second.finished, 0);
  },
);
