/** Provider batches of programs that are killed: another process opens the same result file. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { LLMClient, startMockServer } from "../../mod.ts";
import { ROOT } from "../support/cli.ts";
import { jsonLines, temporaryFolder } from "../support/temporary_folder.ts";

const TOTAL = 240;

/** Submits a batch and collects it; prints what it does. */
function program(baseUrl: string, output: string): string {
  return `
import { LLMClient } from "${ROOT}mod.ts";
const client = new LLMClient({ baseUrl: "${baseUrl}", model: "any" });
const inputs = Array.from({ length: ${TOTAL} }, (_, i) => [
  { role: "user" as const, content: "Question " + i },
]);
const options = { output: "${output}", pollInterval: 0.01, limits: { rows: 80 } };
console.log("submitting");
const batch = await client.submitBatch(inputs, options);
console.log("submitted");
let n = 0;
for await (const _ of batch.results()) if (++n % 60 === 0) console.log("collected " + n);
console.log("done");
setInterval(() => {}, 1000);
`;
}

/** Runs a program until it has printed `line`, and kills it. */
async function runUntil(file: string, line: string): Promise<void> {
  const args = ["run", "--quiet", "-A", "--config", `${ROOT}deno.json`, file];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const closed = new Promise<void>((resolve) => child.on("close", () => resolve()));
  let printed = "";
  const reached = new Promise<boolean>((resolve) => {
    const read = (chunk: unknown) => {
      printed += chunk;
      if (printed.includes(`${line}\n`)) resolve(true);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("close", () => resolve(false));
  });
  const isReached = await reached;
  child.kill("SIGKILL");
  await closed;
  assert.ok(isReached, printed);
}

for (const line of ["submitting", "submitted", "collected 60", "collected 180", "done"]) {
  Deno.test(`a program that is killed at "${line}" is continued by another`, async () => {
    using folder = temporaryFolder();
    const output = folder.file("out.jsonl");
    await using server = await startMockServer({ length: 10 });
    await runUntil(folder.write("program.ts", program(server.baseUrl, output)), line);
    await using client = new LLMClient({ baseUrl: server.baseUrl, model: "any" });
    const inputs = Array.from({ length: TOTAL }, (_, i) => [
      { role: "user" as const, content: `Question ${i}` },
    ]);
    const options = { output, pollInterval: 0.01, limits: { rows: 80 } };
    await using batch = line === "submitting"
      ? await client.submitBatch(inputs, options)
      : await client.openBatch(output, options);
    const indexes = new Set<number>();
    for await (const item of batch.results()) {
      assert.ok(item.status === "success" && !indexes.has(item.index));
      indexes.add(item.index);
    }
    assert.equal(indexes.size, TOTAL);
    assert.ok((await batch.status()).done);
    const lines = jsonLines(readFileSync(output, "utf8"));
    assert.deepEqual(lines.map(({ index }) => index), [...Array(TOTAL).keys()]);
    const ledger = await fetch(new URL("/__mock/batches", server.baseUrl));
    const { totals, rows } = await ledger.json();
    assert.deepEqual([totals.billed, rows], [TOTAL, []]);
  });
}
