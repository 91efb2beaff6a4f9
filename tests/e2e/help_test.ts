/**
 * The help of every command at 80 columns. After an intended change, run
 * `FLEXLLM_UPDATE_HELP=1 deno test -A tests/e2e/help_test.ts`
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { COMMANDS } from "../../commands/registry.ts";
import { loadCommand } from "../../commands/command_entry.ts";
import { buildProgram } from "../../commands/program.ts";
import { flexllm, ROOT } from "../support/cli.ts";
import { Pty } from "../support/pty.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

/** Every command that has a help page, including subcommands. */
async function commandPaths(): Promise<string[][]> {
  const paths: string[][] = [[]];
  for (const entry of COMMANDS.filter(({ hidden }) => !hidden)) {
    paths.push([entry.name]);
    for (const inner of (await loadCommand(entry, COMMANDS)).commands) {
      paths.push([entry.name, inner.name()]);
    }
  }
  return paths;
}

for (const path of await commandPaths()) {
  const name = ["flexllm", ...path].join(" ");
  Deno.test(`${name} --help`, async () => {
    const file = `${ROOT}tests/fixtures/help/${["flexllm", ...path].join("_")}.txt`;
    const { code, stdout, stderr } = await flexllm([...path, "--help"], {
      env: { COLUMNS: "200", FLEXLLM_CONFIG: "/nowhere" },
    });
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, new RegExp(`^Usage: ${name} `));
    assert.match(stdout, /\nExamples:\n {2}/);
    if (process.env.FLEXLLM_UPDATE_HELP) writeFileSync(file, stdout);
    assert.ok(existsSync(file), `${file} is missing; see the head of this test`);
    assert.equal(stdout, readFileSync(file, "utf8"));
    assert.deepEqual(stdout.split("\n").filter((line) => line.length > 80), []);
    if (path.length === 1) {
      assert.equal((await flexllm(["help", ...path])).stdout, stdout);
    }
  });
}

Deno.test("help shows the page of a subcommand", async () => {
  const { code, stdout } = await flexllm(["help", "keys", "set"]);
  assert.deepEqual([code, stdout], [0, (await flexllm(["keys", "set", "--help"])).stdout]);
  assert.match(stdout, /^Usage: flexllm keys set /);
});

Deno.test("only the command that runs is loaded, and the help lists all commands", async () => {
  const program = await buildProgram(["version"]);
  const listed = program.commands.map((command) => command.name());
  assert.deepEqual(listed, COMMANDS.map(({ name }) => name));
  const loaded = program.commands.filter((command) => command.options.length > 0);
  assert.deepEqual(loaded.map((command) => command.name()), ["version"]);
});

Deno.test("notes in the help fit a narrow and a wide terminal", async () => {
  using home = temporaryFolder();
  for (const columns of [50, 120]) {
    await using pty = new Pty(["credits", "--help"], { home: home.path, columns, rows: 60 });
    assert.equal(await pty.exitCode(), 0);
    const lines = (await pty.screen()).split("\n");
    const from = lines.findIndex((line) => line.startsWith("Supported services:"));
    const notes = lines.slice(from).map((line) => line.length);
    assert.ok(from > 0 && Math.max(...notes) <= columns, lines.join("\n"));
    assert.ok(Math.max(...notes) > columns - 15, lines.join("\n"));
  }
});
