/** `flexllm chat` with piped input, and the conversations that it saves. */
import assert from "node:assert/strict";
import { conversations, until } from "../support/chats.ts";
import { flexllm, start } from "../support/cli.ts";
import { completion, httpAnswer, startRawServer } from "../support/raw_server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { watchedMock } from "../support/watched_mock.ts";

Deno.test("every piped line is a message, and stdout has only the answers", async () => {
  await using mock = await watchedMock({ length: 40 });
  const args = ["chat", "-m", "m", "--base-url", mock.baseUrl];
  const stdin = 'one\n\n"""\ntwo\nlines\n"""\n/system Brief.\nthree \\\nfour';
  const { code, stdout, stderr } = await flexllm([...args, "zero"], { stdin });
  assert.deepEqual([code, stderr], [0, "Applies from the next message.\n"]);
  assert.equal(stdout.split("\n").length, 5);
  assert.match(stdout, /^[\w\s.,:"]*$/);
  const asked = mock.requests.map(({ messages }) => messages.at(-1).content);
  assert.deepEqual(asked, ["zero", "one", "two\nlines", "three \nfour"]);
  assert.equal(mock.requests[3].messages[0].content, "Brief.");
});

Deno.test("a piped chat ends at the first failure with its exit code", async () => {
  const wrong = await flexllm(["chat", "-m", "mock"], { stdin: "/nope\nhello\n" });
  assert.deepEqual([wrong.code, wrong.stdout], [1, ""]);
  assert.match(wrong.stderr, /^error: unknown command \/nope\n/);
  await using server = await startRawServer((socket) =>
    socket.end("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n")
  );
  const args = ["chat", "-m", "m", "--base-url", server.baseUrl, "--retry-times", "0"];
  const failed = await flexllm(args, { stdin: "a\nb\n" });
  assert.equal(failed.code, 3);
  assert.equal(server.requests.length, 1);
  const nothing = await flexllm(["chat", "-m", "mock"]);
  assert.equal(nothing.code, 1);
  assert.match(nothing.stderr, /^error: no message was given\nPass one/);
});

Deno.test("chat --no-stream shows a refusal in place of the answer", async () => {
  const body = completion("").replace('"content":""', '"content":null,"refusal":"I cannot help."');
  await using server = await startRawServer((socket) => socket.write(httpAnswer(200, body)));
  const args = ["chat", "x", "-m", "m", "--base-url", server.baseUrl, "--no-stream"];
  const { code, stdout } = await flexllm(args);
  assert.deepEqual([code, stdout], [0, "I cannot help.\n"]);
});

Deno.test("SIGKILL during an answer loses only that answer, not the message", async () => {
  using home = temporaryFolder();
  await using mock = await watchedMock({ length: 4000, tokenRate: 50 });
  const args = ["chat", "-m", "m", "--base-url", mock.baseUrl];
  const env = { HOME: home.path };
  await flexllm(["chat", "-m", "mock"], { stdin: "first\n", env });
  await using running = start([...args, "--continue"], { stdin: "second\n", env });
  await until(() => running.stdout().length > 20);
  running.signal("SIGKILL");
  await running.finished;
  const [{ turns }] = conversations(home);
  assert.deepEqual(turns.map(({ user }) => user.content), ["first", "second"]);
  assert.equal(turns[1].assistant, undefined);
  await using fast = await watchedMock({ length: 30 });
  await flexllm(["chat", "--continue", "-m", "m", "--base-url", fast.baseUrl], {
    stdin: "third\n",
    env,
  });
  // deno-lint-ignore no-explicit-any
  assert.deepEqual(fast.requests[0].messages.map(({ role }: any) => role), [
    "user",
    "assistant",
    "user",
  ]);
});

Deno.test("Ctrl-C in a piped chat saves the partial answer and exits with 130", async () => {
  using home = temporaryFolder();
  await using mock = await watchedMock({ length: 4000, tokenRate: 50 });
  await using running = start(["chat", "-m", "m", "--base-url", mock.baseUrl], {
    stdin: "one\ntwo\n",
    env: { HOME: home.path },
  });
  await until(() => running.stdout().length > 20);
  running.signal("SIGINT");
  const { code } = await running.finished;
  assert.equal(code, 130);
  assert.equal(mock.requests.length, 1);
  const [{ turns: [turn] }] = conversations(home);
  assert.ok((turn.assistant?.content as string).startsWith('You asked: "one"'));
});

Deno.test("if ~/.flexllm is a file, conversations are not saved and a warning says so", async () => {
  using home = temporaryFolder();
  home.write(".flexllm", "not a folder");
  const env = { HOME: home.path };
  const listed = await flexllm(["chat", "--list"], { env });
  assert.deepEqual([listed.code, listed.stderr], [0, "No saved conversations.\n"]);
  const asked = await flexllm(["ask", "hi", "-m", "mock"], { env });
  assert.equal(asked.code, 0);
  assert.match(asked.stderr, /^warning: could not save the conversation: /);
  const set = await flexllm(["init", "--yes"], { env });
  assert.equal(set.code, 1);
  assert.match(
    set.stderr,
    /cannot write .*\n.*\.flexllm must be a folder, but a file is in the way/,
  );
});

Deno.test("conversations are listed, resumed and deleted", async () => {
  using home = temporaryFolder();
  const env = { HOME: home.path };
  const empty = await flexllm(["chat", "--list", "--json"], { env });
  assert.deepEqual([empty.code, empty.stdout], [0, "[]\n"]);
  const none = await flexllm(["chat", "--continue", "x", "-m", "mock"], { env });
  assert.equal(none.code, 1);
  assert.match(
    none.stderr,
    /there is no conversation to continue\nStart one with flexllm chat\./,
  );
  for (const first of ["about rivers", "about lakes"]) {
    await flexllm(["chat", first, "-m", "mock"], { env });
  }
  const listed = JSON.parse((await flexllm(["chat", "--list", "--json"], { env })).stdout);
  // deno-lint-ignore no-explicit-any
  assert.deepEqual(listed.map(({ title }: any) => title), ["about lakes", "about rivers"]);
  const { id } = listed[1];
  assert.equal((await flexllm(["chat", "--resume", id, "and more"], { env })).code, 0);
  const plain = await flexllm(["chat", "--list"], { env });
  assert.match(plain.stdout, new RegExp(`\n1  ${id}  .* 2  mock +about rivers\n$`));
  const unknown = await flexllm(["chat", "--resume", "1999", "x"], { env });
  assert.equal(unknown.code, 1);
  assert.match(
    unknown.stderr,
    /no conversation "1999"\nList the conversations with `flexllm logs`, or \/list in a chat\./,
  );
  const resumed = await flexllm(["chat", "--resume", "lakes", "and fish"], { env });
  assert.equal(resumed.code, 0);
  const completed = await flexllm(["complete", "--", "chat", "--resume", id.slice(0, 8)], { env });
  assert.match(completed.stdout, new RegExp(`\n${id}\tabout rivers\n:4\n$`));
  assert.equal((await flexllm(["chat", "--delete", id], { env })).code, 0);
  assert.equal(conversations(home).length, 1);
  await flexllm(["chat", "secret", "-m", "mock", "--no-save"], { env });
  assert.equal(conversations(home).length, 1);
});

Deno.test("a conversation resumes with its own model and server, and stores no key", async () => {
  using home = temporaryFolder();
  const env = { HOME: home.path };
  await using mock = await watchedMock({ length: 30 });
  const flags = ["-m", "special", "--base-url", mock.baseUrl, "--api-key", "sk-secret-1"];
  await flexllm(["chat", "one", ...flags, "-t", "0.3"], { env });
  assert.equal((await flexllm(["chat", "--continue", "two"], { env })).code, 0);
  assert.deepEqual([mock.requests[1].model, mock.requests[1].temperature], ["special", 0.3]);
  assert.equal(mock.requests[1].messages.length, 3);
  const withPassword = mock.baseUrl.replace("//", "//user:sk-secret-1@");
  await flexllm(["chat", "x", "-m", "m", "--base-url", withPassword], { env });
  const saved = JSON.stringify(conversations(home));
  assert.ok(!saved.includes("sk-secret-1"), saved);
});
