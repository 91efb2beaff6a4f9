/** Answers of `ask` on a terminal and in pipes: Markdown, thinking, the spinner. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { flexllm } from "../support/cli.ts";
import {
  EVENT_STREAM_HEAD,
  FINISH_EVENT,
  httpAnswer,
  startRawServer,
  textEvent,
} from "../support/raw_server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { startOnTerminal, type TerminalOptions, withoutTerminal } from "../support/terminal.ts";
import { watchedMock } from "../support/watched_mock.ts";

const ANSWER = "# Title\n\nA **bold** [link](http://a.b/).\n\n" +
  "| a | b |\n|---|--:|\n| 日本 | 1 |\n\n```py\nx = 1\n```\n\n&#27;[2J\x1b]0;owned\x07\n";
const RENDERED = `Title

A bold link (http://a.b/).

a    │ b
─────┼──
日本 │ 1

  x = 1

␛[2J␛]0;owned␇`;

function terminalTest(name: string, body: () => Promise<void>): void {
  Deno.test({ name, ignore: withoutTerminal, fn: body });
}

/** Runs `ask` on a terminal. Returns what the terminal shows at the end, and what was written to it. */
async function askOnTerminal(args: string[], options?: TerminalOptions) {
  await using terminal = startOnTerminal(["ask", "Hi", ...args], options);
  const code = await terminal.finished;
  const shown = (await terminal.screen()).split("\n").slice(1).join("\n");
  const written = terminal.written().split("\n").slice(1).join("\n");
  return { code, shown, written };
}

/** A server that sends `answer` one character at a time. */
async function slowServer(answer: string) {
  return await startRawServer((socket) => {
    socket.end(EVENT_STREAM_HEAD + [...answer].map(textEvent).join("") + FINISH_EVENT);
  });
}

terminalTest("ask renders Markdown on a terminal, and no control characters", async () => {
  await using server = await slowServer(ANSWER);
  const args = ["-m", "m", "--base-url", server.baseUrl];
  const { code, shown, written } = await askOnTerminal(args);
  assert.deepEqual([code, shown], [0, RENDERED]);
  assert.ok(written.includes("\x1b[1mbold\x1b[22m"), written);
  assert.ok(written.includes("\x1b[33m1"), "code has colors");
  const plain = await askOnTerminal(args, { env: { NO_COLOR: "1" } });
  assert.ok(plain.shown.includes("# Title\n\nA **bold** link (http://a.b/).\n\na    │ b\n"));
  const dumb = await askOnTerminal(args, { env: { TERM: "dumb" } });
  assert.ok(!dumb.written.includes("\x1b"), dumb.written);
  assert.equal(dumb.shown, plain.shown);
  const linked = await askOnTerminal(args, { env: { FORCE_HYPERLINK: "1" } });
  assert.ok(linked.shown.includes("A bold link.\n"));
  assert.ok(linked.written.includes(";http://a.b/\x1b\\link"), linked.written);
});

terminalTest("--raw and pipes keep the text as it is", async () => {
  await using server = await slowServer(ANSWER);
  const args = ["-m", "m", "--base-url", server.baseUrl];
  const { shown } = await askOnTerminal([...args, "--raw"]);
  assert.ok(shown.startsWith("# Title\n\nA **bold** [link](http://a.b/).\n\n| a | b |\n"), shown);
  assert.ok(shown.endsWith("&#27;[2J␛]0;owned␇"), shown);
  const piped = await flexllm(["ask", "Hi", ...args]);
  assert.deepEqual([piped.stdout, piped.stderr], [ANSWER, ""]);
  using folder = temporaryFolder();
  const redirect = `> ${folder.file("answer.md")}`;
  const redirected = await askOnTerminal(args, { redirect });
  assert.equal(redirected.shown, "");
});

terminalTest("a spinner shows how long an answer takes, and is erased", async () => {
  const sockets: Socket[] = [];
  await using server = await startRawServer((socket) => sockets.push(socket));
  const args = ["Hi", "-m", "m", "--base-url", server.baseUrl];
  await using terminal = startOnTerminal(["ask", ...args]);
  await terminal.shows(/^\S waiting for the answer; press Ctrl-C to stop$/m);
  await terminal.shows(/^\S waiting for the answer, \d s; press Ctrl-C to stop$/m);
  sockets[0].write(EVENT_STREAM_HEAD + textEvent("| a | b |\n|---|---|\n| c | d |\n"));
  await terminal.shows(/^\S receiving a table, 2 rows/m);
  sockets[0].end(textEvent("\nDone.") + FINISH_EVENT);
  assert.equal(await terminal.finished, 0);
  assert.match(await terminal.screen(), /^terminal .*\na │ b\n──┼──\nc │ d\n\nDone\.$/);

  await using stopped = startOnTerminal(["ask", ...args, "--json"]);
  await stopped.shows("waiting for the answer");
  stopped.type("\x03");
  assert.equal(await stopped.finished, 130);
  assert.match(await stopped.screen(), /^terminal .*$/);
});

terminalTest("Ctrl-C ends an answer with what has arrived", async () => {
  await using server = await startRawServer((socket) =>
    socket.write(EVENT_STREAM_HEAD + textEvent("One **two"))
  );
  const args = ["-m", "m", "--base-url", server.baseUrl];
  await using terminal = startOnTerminal(["ask", "Hi", ...args]);
  await terminal.shows(/^One$/m);
  terminal.type("\x03");
  assert.equal(await terminal.finished, 130);
  assert.match(await terminal.screen(), /\n(?:\^C)?One(?:\^C)? \*\*two$/);
});

terminalTest("errors and long waits appear without a trace of the spinner", async () => {
  let requests = 0;
  await using server = await startRawServer((socket) => {
    const isFirst = requests++ === 0;
    const headers = { "content-type": "application/json", "retry-after": "4" };
    const answer = httpAnswer(isFirst ? 429 : 400, '{"error":{"message":"No."}}', headers);
    setTimeout(() => socket.write(answer), 1000);
  });
  const args = ["-m", "m", "--base-url", server.baseUrl];
  await using terminal = startOnTerminal(["ask", "Hi", ...args]);
  await terminal.shows(/^Waiting \d s: rate limited by the server\n\S waiting for the answer/m);
  assert.equal(await terminal.finished, 3);
  const lines = (await terminal.screen()).split("\n").slice(1);
  assert.match(lines[0], /^Waiting \d s: rate limited by the server$/);
  assert.match(lines[1], /^error: .*400/);
});

Deno.test("thinking is shown in a pipe only with --show-thinking, on stderr", async () => {
  const responses = [{ text: "The answer.", thinking: "A *thought*." }];
  await using mock = await watchedMock({ responses });
  const flags = ["-m", "m", "--base-url", mock.baseUrl];
  const hidden = await flexllm(["ask", "Hi", ...flags]);
  assert.deepEqual([hidden.stdout, hidden.stderr], ["The answer.\n", ""]);
  const shown = await flexllm(["ask", "Hi", ...flags, "--show-thinking"]);
  assert.deepEqual([shown.stdout, shown.stderr], ["The answer.\n", "A *thought*.\n\n"]);
  const chat = await flexllm(["chat", ...flags, "--show-thinking"], { stdin: "one\ntwo\n" });
  assert.equal(chat.stdout, "The answer.\nThe answer.\n");
  assert.equal(chat.stderr, "A *thought*.\n\nA *thought*.\n\n");
  const json = await flexllm(["ask", "Hi", ...flags, "--json", "--show-thinking"]);
  assert.equal(JSON.parse(json.stdout).content, "The answer.");
  assert.equal(json.stderr, "A *thought*.\n");
});

terminalTest("thinking is dimmed on a terminal, unless --no-show-thinking hides it", async () => {
  const responses = [{ text: "The answer.", thinking: "A **thought**." }];
  await using mock = await watchedMock({ responses });
  const flags = ["-m", "m", "--base-url", mock.baseUrl];
  const { shown, written } = await askOnTerminal(flags);
  assert.equal(shown, "A thought.\n\nThe answer.");
  assert.ok(written.includes("\x1b[2mA"), written);
  const hidden = await askOnTerminal([...flags, "--no-show-thinking"]);
  assert.equal(hidden.shown, "The answer.");
});
