/** `deno install --global`, as documented. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { delimiter, dirname } from "node:path";
import process from "node:process";
import { VERSION } from "../../lib/version.ts";
import { ROOT } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

Deno.test("deno install installs a command that runs from any directory", () => {
  using folder = temporaryFolder();
  const flags = ["--quiet", "--global", "-A", "--name", "flexllm", "--root", folder.path];
  const args = ["install", ...flags, "--config", "deno.json", "./main.ts"];
  execFileSync(process.execPath, args, { cwd: ROOT });
  const run = (...args: string[]) =>
    execFileSync(folder.file("bin/flexllm"), args, {
      cwd: folder.path,
      encoding: "utf8",
      env: {
        ...process.env,
        PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
        NO_COLOR: "1",
      },
    });
  assert.equal(run("version"), `flexllm ${VERSION}\n`);
  assert.match(run("ask", "Hello there", "-m", "mock"), /^You asked: "Hello there"/);
});
