import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { BudgetLedger } from "../../../lib/batch/journal/budget_ledger.ts";
import { StateFile } from "../../../lib/batch/journal/state_file.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

Deno.test("an entry is updated in place, and moved if it grows", () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  const file = new StateFile(output);
  assert.equal(existsSync(file.path), false);
  file.set("first", { n: 1 });
  file.set("second", { n: 2 });
  const { size } = statSync(file.path);
  file.set("first", { n: 100 });
  assert.equal(statSync(file.path).size, size);
  file.set("first", { text: "é".repeat(200) });
  const again = new StateFile(output);
  assert.deepEqual(again.get("first"), { type: "first", text: "é".repeat(200) });
  assert.deepEqual(again.get("second"), { type: "second", n: 2 });
  file.delete("first");
  assert.equal(new StateFile(output).get("first"), undefined);
  file.delete("second");
  file.close();
  assert.equal(existsSync(file.path), false);
});

Deno.test("the budget ledger leaves entries of other types alone", () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  const other = '{"type":"job","id":"batch_1","endpoint":"openai"}';
  writeFileSync(`${output}.state`, `${other}\n`);
  const ledger = new BudgetLedger(output, 0, 10);
  ledger.authorize(1);
  assert.equal(new BudgetLedger(output, 0, 10).lost, 1.1);
  ledger.close(0, 0);
  const left = readFileSync(`${output}.state`, "utf8").split("\n").map((line) => line.trim());
  assert.deepEqual(left.filter((line) => line !== ""), [other]);
});

Deno.test("the state file of version 0.1.0 is read", () => {
  using folder = temporaryFolder();
  const output = folder.file("out.jsonl");
  writeFileSync(`${output}.state`, `${'{"authorized":3,"lost":1}'.padEnd(127)}\n`);
  const ledger = new BudgetLedger(output, 1, 10);
  assert.equal(ledger.lost, 2);
  const [line, ...rest] = readFileSync(`${output}.state`, "utf8").split("\n");
  assert.deepEqual(JSON.parse(line), { type: "spending", authorized: 3, lost: 2 });
  assert.deepEqual(rest, [""]);
});
