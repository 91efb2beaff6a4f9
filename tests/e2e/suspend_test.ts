/** Ctrl-Z during a batch: the progress is cleared, and comes back when the batch continues. */
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

Deno.test({
  name: "a suspended batch leaves no progress on the terminal, and shows it again afterwards",
  ignore: withoutTerminal || process.platform === "win32",
  async fn() {
    using home = temporaryFolder();
    home.write("in.jsonl", '{"prompt":"one"}\n{"prompt":"two"}\n');
    // Never answers, so that the progress stays.
    await using server = await startRawServer(() => {});
    await using terminal = startOnTerminal(
      ["batch", "in.jsonl", "-o", "out.jsonl", "-m", "m", "--base-url", server.baseUrl],
      { home },
    );
    await terminal.shows(/0%\s+0\/2/);
    const before = terminal.written().length;
    process.kill(terminal.pid(), "SIGTSTP");
    await until(() => isStopped(terminal.pid()));
    // `script` stops with its child, and continues it.
    process.kill(terminal.process.pid!, "SIGCONT");
    const erased = "\r \x1b[J\x1b[2K\r";
    await until(() => {
      const [, ...redrawn] = terminal.written().slice(before).split(erased);
      return redrawn.some((text) => text.includes("0/2"));
    });
    assert.equal((await terminal.screen()).split("0/2").length, 2);
  },
});
