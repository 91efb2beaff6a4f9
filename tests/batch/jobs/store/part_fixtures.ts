/** Records, rows and parts for the tests of the part store. */
import type { IndexedRecord } from "../../../../lib/batch/executor.ts";
import type { PreparedRow } from "../../../../lib/batch/jobs/job_client.ts";
import type { PartState } from "../../../../lib/batch/jobs/part_events.ts";
import type { PartStore } from "../../../../lib/batch/jobs/part_store.ts";

/** What every planned part of a test says about itself. */
export const FIELDS = {
  api: "openai",
  endpoint: "http://127.0.0.1/v1",
  key: "0a1b2c3d",
  model: "m",
  path: "/chat/completions",
} as const;

/** Nonces that count: `part000001`, `part000002`, …. */
export function countedNonces(): () => string {
  let n = 0;
  return () => `part${String(++n).padStart(6, "0")}`;
}

/** A record with one short message. */
export function recordAt(index: number, content = `Question ${index}`): IndexedRecord {
  return { index, messages: [{ role: "user", content }], location: `in.jsonl:${index + 1}` };
}

/** The row that a client makes of a record. */
export function rowOf(record: IndexedRecord): PreparedRow {
  const body = JSON.stringify({ model: "m", messages: record.messages });
  const request = { body, model: "m", path: "/chat/completions" };
  return { request, promptTokens: 3, maxCost: 0.25 };
}

/** Plans a part of these records. Its rows are their row ids. */
export function planPart(store: PartStore, records: readonly IndexedRecord[]): PartState {
  const draft = store.draft();
  for (const record of records) {
    const row = rowOf(record);
    const id = draft.rowId(record, row);
    draft.add(record, row, id, JSON.stringify({ custom_id: id }));
  }
  return draft.plan(FIELDS);
}
