/** What depends on the environment of a process: its end, proxies, permissions and open files, on Deno and Bun. */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { dirname } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { openBlackhole } from "../../support/blackhole.ts";
import { completion, httpAnswer, startRawServer } from "../../support/raw_server.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const run = promisify(execFile);
const isBun = "bun" in process.versions;
const ANSWER = httpAnswer(200, completion("hello"));

/** The runtimes on this machine, as commands. Bun's own tests need not start any. */
const RUNTIMES: Record<string, string[]> = isBun ? {} : {
  deno: [process.execPath, "run", "--quiet", "-A"],
  ...spawnSync("bun", ["--version"]).status === 0 ? { bun: ["bun"] } : {},
};

let program: Promise<string> | undefined;

/** Makes one file of the program, for all runtimes. Resolves with its path. */
async function bundle(): Promise<string> {
  const folder = temporaryFolder();
  globalThis.addEventListener("unload", () => folder[Symbol.dispose]());
  const path = folder.file("program.js");
  const source = new URL("program.ts", import.meta.url).pathname;
  await run(process.execPath, ["bundle", "--quiet", "--platform", "deno", "-o", path, source]);
  return path;
}

/** Runs the program, in a shell after `setup`. Resolves with the answers and errors that it prints. */
async function runProgram(
  runtime: readonly string[],
  args: readonly string[],
  { env = {}, setup = ":" }: { env?: Record<string, string>; setup?: string } = {},
): Promise<string[]> {
  const path = await (program ??= bundle());
  const home = dirname(path);
  const command = ["-c", `${setup}; exec "$@"`, "sh", ...runtime, path, ...args];
  const { stdout, stderr } = await run("sh", command, {
    env: { PATH: process.env.PATH, HOME: home, DENO_DIR: home, ...env },
    timeout: 30_000,
    killSignal: "SIGKILL",
  });
  assert.equal(stderr, "");
  return JSON.parse(stdout);
}

for (const [name, runtime] of Object.entries(RUNTIMES)) {
  Deno.test(`a program ends although connections are idle (${name})`, async () => {
    await using server = await startRawServer((socket) => socket.write(ANSWER));
    const results = await runProgram(runtime, [server.baseUrl, "3", "2"]);
    assert.deepEqual(results, Array(5).fill("hello"));
    assert(server.connections() <= 3, `${server.connections()}`);
  });

  Deno.test(`a program ends although connections could not be made (${name})`, async () => {
    await using blackhole = await openBlackhole();
    const results = await runProgram(runtime, [blackhole.baseUrl, "3", "0", "0.1"]);
    assert.deepEqual(results, Array(3).fill("no complete answer within 0.1 s"));
  });

  Deno.test(`an idle connection that is reset does not end the program (${name})`, async () => {
    await using server = await startRawServer((socket) =>
      socket.write(ANSWER, () => socket.resetAndDestroy())
    );
    const results = await runProgram(runtime, [server.baseUrl, "3", "10"]);
    // A reset may meet the next request.
    const allowed = /^hello$|^the connection was closed before the answer was complete/;
    for (const result of results) assert.match(result, allowed);
    assert(results.includes("hello") && results.length === 13, `${results}`);
  });

  Deno.test(`HTTP_PROXY and NO_PROXY are honored (${name})`, async () => {
    await using server = await startRawServer((socket) => socket.write(ANSWER));
    await using proxy = await startRawServer((socket) =>
      socket.write(httpAnswer(200, completion("through the proxy")))
    );
    const HTTP_PROXY = new URL(proxy.baseUrl).origin;
    const send = async (baseUrl: string, env: Record<string, string>) =>
      (await runProgram(runtime, [baseUrl, "1", "0"], { env }))[0];
    assert.equal(await send("http://server.invalid/v1", { HTTP_PROXY }), "through the proxy");
    assert.equal(await send(server.baseUrl, { http_proxy: HTTP_PROXY }), "through the proxy");
    const NO_PROXY = "a.test,127.0.0.1";
    assert.equal(await send(server.baseUrl, { HTTP_PROXY, NO_PROXY }), "hello");
    assert.deepEqual(proxy.requests.map(({ path }) => path), [
      "http://server.invalid/v1/chat/completions",
      `${server.baseUrl}/chat/completions`,
    ]);
    assert.equal(proxy.requests[0].headers.get("host"), "server.invalid");
  });

  Deno.test(`requests do not wait for connections while others are free (${name})`, async () => {
    // The system drops what does not fit in the backlog, and the client tries again later and later.
    await using server = await startRawServer((socket) => socket.write(ANSWER), { backlog: 1 });
    const results = await runProgram(runtime, [server.baseUrl, "300", "300", "20"]);
    assert.deepEqual(results, Array(600).fill("hello"));
    assert.equal(server.requests.length, 600);
  });

  Deno.test(`requests beyond the limit of open files fail, the others don't (${name})`, async () => {
    await using server = await startRawServer((socket) => socket.write(ANSWER));
    const options = { setup: "ulimit -n 40" };
    const results = await runProgram(runtime, [server.baseUrl, "60", "1"], options);
    const answered = results.filter((result) => result === "hello");
    for (const result of results) {
      if (result !== "hello") assert.match(result, /^too many open files \(http:/);
    }
    assert.equal(results.at(-1), "hello");
    assert.equal(server.requests.length, answered.length);
  });
}

Deno.test("hosts that Deno may not contact are an error", { ignore: isBun }, async () => {
  await using server = await startRawServer((socket) => socket.write(ANSWER));
  const { host } = new URL(server.baseUrl);
  const base = [process.execPath, "run", "--quiet", "--no-prompt", "--allow-env"];
  const [refused] = await runProgram(base, [server.baseUrl, "1", "0"]);
  assert.match(refused, /^the program may not connect to the host \(http:/);
  const [other] = await runProgram([...base, "--allow-net=example.com"], [
    server.baseUrl,
    "1",
    "0",
  ]);
  assert.match(other, /^the program may not connect to the host \(http:/);
  assert.equal(server.connections(), 0);
  const [allowed] = await runProgram([...base, `--allow-net=${host}`], [server.baseUrl, "1", "0"]);
  assert.equal(allowed, "hello");
});
