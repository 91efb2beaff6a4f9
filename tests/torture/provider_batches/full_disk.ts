/** Provider batches on a disk that is full at some point: while parts are planned, logged or collected. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../../../lib/runtime/random.ts";
import { providerMock } from "../../support/provider_mock.ts";
import { commandLine, flexllm } from "../../support/cli.ts";
import { jsonLines, temporaryFolder } from "../../support/temporary_folder.ts";
import { questionOf } from "./invariants.ts";

const ROWS = 60;
/** Kilobytes that the files of such a batch need at most. */
const NEEDED = 180;

/** Runs batches on small file systems, or with a limit of the file size where mounting is not allowed. */
export async function fullDiskOfProviderBatch(seed: number, rounds: number): Promise<void> {
  const random = seededRandom(seed);
  let failures = 0;
  for (let round = 0; round < rounds; round++) {
    using folder = temporaryFolder();
    await using mock = await providerMock();
    using _ = mock.running();
    const small = folder.file("small");
    mkdirSync(small);
    const lines = Array.from(
      { length: ROWS },
      (_, i) => `${JSON.stringify({ q: questionOf(i), note: "long ".repeat(200) })}\n`,
    );
    const args = [
      ...["batch", folder.write("in.jsonl", lines.join("")), "-o", join(small, "out.jsonl")],
      ...["-m", "m", "--base-url", mock.baseUrl, "--via", "provider", "--poll-interval", "50ms"],
      ...["--config", folder.write("c.yaml", "batch: {jobs: {rows: 15, concurrent: 2}}\n")],
    ];
    const size = Math.floor(20 + (round + random()) / rounds * NEEDED);
    const quoted = [...commandLine(), ...args].map((part) => `'${part}'`).join(" ");
    let unmount = () => {};
    let isMounted = false;
    try {
      try {
        execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}k`, "tmpfs", small], {
          stdio: "ignore",
        });
        isMounted = true;
        unmount = () => execFileSync("umount", [small]);
      } catch {
        // Mounting requires root.
      }
      const limited = isMounted ? quoted : `ulimit -f ${size}; ${quoted}`;
      const { code, stderr } = await flexllm([], { shell: ["-c", limited] });
      if (code !== 0) failures++;
      if (isMounted) {
        if (code !== 0) {
          assert.equal(code, 1, stderr);
          assert.match(stderr, /disk is full/);
        }
        // Free space again, so that the same command resumes, or sorts what is complete.
        execFileSync("mount", ["-o", "remount,size=20m", small]);
      }
      const last = await flexllm(args);
      assert.equal(last.code, 0, `${size} kB: ${stderr}\n${last.stderr}`);
      const results = jsonLines(readFileSync(join(small, "out.jsonl"), "utf8"));
      assert.deepEqual(results.map(({ index }) => index), lines.map((_, i) => i));
      // Some answers of this mock are too short for the whole question.
      for (const { index, output } of results) {
        const expected = `You asked: "${questionOf(index)}"`;
        const length = Math.min(expected.length, output.length);
        assert.equal(output.slice(0, length), expected.slice(0, length));
      }
      assert.deepEqual(readdirSync(join(small, "out.jsonl.parts")), ["log.jsonl"]);
      const { totals } = await mock.ledger();
      assert.deepEqual([totals.billed, totals.billed_twice], [ROWS, 0], `${size} kB: ${stderr}`);
    } finally {
      unmount();
    }
  }
  assert.ok(failures > 0, "no disk was full");
}
