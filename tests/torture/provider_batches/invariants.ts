/** What holds for a provider batch, whatever has happened to it. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { Ledger } from "../../../lib/mock/batch/ledger.ts";
import { jsonLines, type TemporaryFolder } from "../../support/temporary_folder.ts";

export function questionOf(index: number): string {
  return `Question number ${index}, please.`;
}

function isRight({ index, output }: { index: number; output: unknown }): boolean {
  return typeof output === "string" && output.startsWith(`You asked: "${questionOf(index)}"`);
}

/** Checks the complete lines of a result file: no wrong answer, and no index with two answers. */
export function assertSound(folder: TemporaryFolder): void {
  if (!existsSync(folder.file("out.jsonl"))) return;
  const lines = folder.read("out.jsonl").split("\n").slice(0, -1);
  const answered = new Set<number>();
  for (const line of lines) {
    const result = JSON.parse(line);
    if (result.status !== "success") continue;
    assert.ok(isRight(result), `record ${result.index} has a wrong answer: ${result.output}`);
    assert.ok(!answered.has(result.index), `record ${result.index} has two answers`);
    answered.add(result.index);
  }
}

/** Checks that every index occurs once and in order, with the answer to its own prompt. */
export function assertComplete(folder: TemporaryFolder, count: number): void {
  const results = jsonLines(folder.read("out.jsonl"));
  assert.deepEqual(results.map(({ index }) => index), Array.from({ length: count }, (_, i) => i));
  for (const result of results) {
    assert.equal(result.status, "success", `record ${result.index}: ${result.error}`);
    assert.ok(isRight(result), `record ${result.index} has a wrong answer: ${result.output}`);
  }
  assert.deepEqual(readdirSync(folder.file("out.jsonl.parts")), ["log.jsonl"]);
}

/** USD in the result file. */
export function costOf(folder: TemporaryFolder): number {
  if (!existsSync(folder.file("out.jsonl"))) return 0;
  const lines = readFileSync(folder.file("out.jsonl"), "utf8").split("\n").slice(0, -1);
  return lines.reduce((sum, line) => sum + (JSON.parse(line).cost ?? 0), 0);
}

/** Records of parts that the user gave up: their jobs may run as well. */
export function abandonedRows(folder: TemporaryFolder): number {
  const events = jsonLines(folder.read("out.jsonl.parts/log.jsonl"));
  const rows = new Map<string, number>();
  for (const { type, part, rows: n } of events) if (type === "planned") rows.set(part, n);
  return events.filter(({ type }) => type === "abandoned")
    .reduce((sum, { part }) => sum + rows.get(part)!, 0);
}

/**
 * Checks that each record was billed once, but for `excused` rows.
 *
 * @param isBatchOnly whether no record was sent live
 */
export function assertBilledOnce(
  { rows, jobs }: Ledger,
  { count, excused, isBatchOnly }: { count: number; excused: number; isBatchOnly: boolean },
): void {
  const billed = new Map<number, string[]>();
  for (const { ids, jobs } of rows) {
    for (const id of ids) {
      const index = Number(/_(\d+)_/.exec(id)![1]);
      billed.set(index, [...billed.get(index) ?? [], `${id} of ${jobs.join(" or ")}`]);
    }
  }
  const again = [...billed.values()].filter(({ length }) => length > 1);
  const extra = again.reduce((sum, { length }) => sum + length - 1, 0);
  assert.ok(
    extra <= excused,
    `${extra} rows were billed again, and ${excused} may be: ${JSON.stringify(again)}; ` +
      JSON.stringify(jobs),
  );
  if (isBatchOnly) assert.equal(billed.size, count, "every record is billed");
}
