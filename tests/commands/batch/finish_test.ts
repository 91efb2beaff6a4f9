/** Finishing the result file of a batch. */
import assert from "node:assert/strict";
import { finishJournal, inputChange, sortJournal } from "../../../commands/batch/finish.ts";
import { divertNotes } from "../../../commands/terminal/output.ts";
import { ConnectionError, JournalError } from "../../../lib/errors.ts";

/** A journal that records calls, and fails with `error`. */
function journal(error?: Error) {
  const calls: string[] = [];
  const call = (name: string) => () => {
    calls.push(name);
    if (error !== undefined) throw error;
  };
  return { calls, compact: call("sort"), flush: call("sync") };
}

const NO_SPACE = new JournalError("the disk is full", { cause: new Error("ENOSPC") });
const REPLACED = new JournalError("the file was replaced");
const DOWN = new ConnectionError("refused");

Deno.test("the journal of a finished batch is sorted", () => {
  const it = journal();
  assert.equal(finishJournal(it, undefined, false), undefined);
  assert.deepEqual(it.calls, ["sort"]);
});

Deno.test("the journal of a stopped or interrupted batch is synced, not sorted", () => {
  for (const [failure, interrupted] of [[DOWN, false], [undefined, true]] as const) {
    const it = journal();
    assert.equal(finishJournal(it, failure, interrupted), failure);
    assert.deepEqual(it.calls, ["sync"]);
  }
});

Deno.test("a broken journal is left alone", () => {
  const it = journal(NO_SPACE);
  assert.equal(finishJournal(it, REPLACED, false), REPLACED);
  assert.deepEqual(it.calls, []);
});

Deno.test("an error while finishing replaces the failure of the batch", () => {
  assert.equal(finishJournal(journal(REPLACED), DOWN, false), REPLACED);
  assert.equal(finishJournal(journal(REPLACED), undefined, false), REPLACED);
});

Deno.test("a complete journal that cannot be sorted is only a warning", () => {
  const notes: string[] = [];
  divertNotes((line) => notes.push(line));
  try {
    assert.equal(finishJournal(journal(NO_SPACE), undefined, false), undefined);
    assert.deepEqual(notes, [
      "warning: the results are complete but not sorted: the disk is full",
    ]);
    assert.throws(() => sortJournal(journal(REPLACED)), REPLACED);
  } finally {
    divertNotes(undefined);
  }
});

Deno.test("fewer records than at the start mean that the input changed", () => {
  const summary = { restored: 1, succeeded: 2, failed: 1 };
  assert.equal(inputChange("in.jsonl", { total: 4 }, summary), undefined);
  assert.equal(
    inputChange("in.jsonl", { total: 5 }, summary)?.message,
    "in.jsonl was changed while the batch ran: it had 5 records, 4 were read",
  );
});
