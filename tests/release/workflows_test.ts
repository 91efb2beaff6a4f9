/** The GitHub workflows, checked by GitHub's language service. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import process from "node:process";
import { ROOT } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const WRONG = `on: push
permissions: {contents: wirte}
jobs:
  a:
    runs-on: ubuntu-latest
    steps: [{run: echo}]
  c:
    needs: b
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        wiht: {ref: main}
      - run: echo \${{ github.reff }}
`;

Deno.test("GitHub's language service finds no mistake in the workflows", () => {
  using folder = temporaryFolder();
  const bundle = folder.file("lint_workflows.js");
  const script = ["bundle", "--quiet", "--platform", "deno", "-o", bundle];
  execFileSync(process.execPath, [...script, "scripts/lint_workflows.ts"], { cwd: ROOT });
  const lint = (...files: string[]) => {
    const args = ["run", "--quiet", "-A", bundle, ...files];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
    return { status, problems: stderr.trimEnd().split("\n") };
  };
  assert.deepEqual(lint(), { status: 0, problems: [""] });
  const { status, problems } = lint(folder.write("wrong.yml", WRONG));
  assert.equal(status, 1);
  const places = problems.map((line) => /wrong\.yml:(\d+):\d+: /.exec(line)?.[1]);
  assert.deepEqual([...new Set(places)].sort(), ["12", "13", "2", "8"]);
});
