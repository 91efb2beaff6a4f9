/** Ctrl-Z while a batch or an answer is shown: live output is cleared, and comes back afterwards. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { until } from "../support/chats.ts";
import { startRawServer } from "../support/raw_server.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { startOnTerminal, withoutTerminal } from "../support/terminal.ts";

function isStopped(pid: number): boolean {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
  return stdout.startsWith("T");
}

/** Suspends and continues a command that shows `live`, which must be cleared and come back. */
async function suspendAndContinue(args: string[], live: string): Promise<void> {
  using home = temporaryFolder();
  home.write("in.jsonl", '{"prompt":"one"}\n{"prompt":"two"}\n');
  // Never answers, so that the live output stays.
  await using server = await startRawServer(() => {});
  await using terminal = startOnTerminal(
    [...args, "-m", "m", "--base-url", server.baseUrl],
    { home },
  );
  await terminal.shows(live);
  const before = terminal.written().length;
  process.kill(terminal.pid(), "SIGTSTP");
  await until(() => isStopped(terminal.pid()));
  const erased = "\r \x1b[J\x1b[2K\r";
  await until(() => {
    // `script` stops some time after its child, and continues it.
    const script = terminal.process.pid!;
    if (isStopped(script)) process.kill(script, "SIGCONT");
    const [, ...redrawn] = terminal.written().slice(before).split(erased);
    return redrawn.some((text) => text.includes(live));
  });
  assert.equal((await terminal.screen()).split(live).length, 2);
}

const CASES: [what: string, args: string[], live: string][] = [
  ["batch", ["batch", "in.jsonl", "-o", "out.jsonl"], "0/2"],
  ["ask", ["ask", "hi"], "waiting for the answer"],
];
for (const [what, args, live] of CASES) {
  Deno.test({
    name:
      `a suspended ${what} leaves no live output on the terminal, and shows it again afterwards`,
    ignore: withoutTerminal || process.platform === "win32",
    fn: () => suspendAndContinue(args, live),
  });
}
