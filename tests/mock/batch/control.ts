/** Controls a mock's batch APIs from outside, as tests in other languages do. */
import assert from "node:assert/strict";

/** Moves the clock of a mock forward. */
export async function advance(origin: string, seconds: number): Promise<void> {
  const response = await fetch(`${origin}/__mock/batches/clock`, {
    method: "POST",
    body: JSON.stringify({ advance: seconds }),
  });
  assert.equal(response.status, 200, await response.text());
}

/** Replaces the faults of a mock. */
export async function setFaults(origin: string, ...faults: string[]): Promise<void> {
  const response = await fetch(`${origin}/__mock/batches/faults`, {
    method: "PUT",
    body: JSON.stringify({ faults }),
  });
  assert.equal(response.status, 200, await response.text());
}

/** What the ledger has counted. */
export interface Totals {
  jobs: number;
  rows: number;
  billed: number;
  billed_twice: number;
}

/** The totals of a mock's ledger. */
export async function totals(origin: string): Promise<Totals> {
  return (await (await fetch(`${origin}/__mock/batches`)).json()).totals;
}
