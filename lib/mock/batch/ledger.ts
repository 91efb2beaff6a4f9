/**
 * Counts how often each request was ever billed, over all jobs of the mock.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { canonicalJson } from "../../json/canonical.ts";
import type { BatchCore } from "./core.ts";

/** A job in the ledger. Times are in seconds since 1970. */
export interface LedgerJob {
  id: string;
  api: string;
  status: string;
  created_at: number;
  rows: number;
  /** Rows that were answered with success, and are billed. */
  billed: number;
  failed: number;
  deleted: boolean;
}

/** A request, identified by its path and body. */
export interface LedgerRow {
  /** The first 16 hexadecimal digits of the SHA-256 of its path and canonical body. */
  hash: string;
  billed: number;
  /** The ids that it was billed under. */
  ids: string[];
  jobs: string[];
}

/** All jobs and billed rows. */
export interface Ledger {
  jobs: LedgerJob[];
  totals: { jobs: number; rows: number; billed: number; billed_twice: number };
  /** Requests that were billed more than once; or all billed ones, if asked for. */
  rows: LedgerRow[];
}

/**
 * Makes the ledger from the jobs, deleted ones included.
 *
 * @param all whether to list all billed requests, or only those that were billed more than once
 */
export async function ledger(core: BatchCore, all: boolean): Promise<Ledger> {
  const rows = new Map<string, LedgerRow>();
  const jobs: LedgerJob[] = [];
  for (const job of core.allJobs()) {
    const state = await core.state(job);
    const answers = core.answersOf(job);
    const { succeeded, failed } = core.totals(job, state);
    jobs.push({
      id: job.id,
      api: job.api,
      status: state.phase,
      created_at: job.createdAt / 1000,
      rows: job.rows,
      billed: succeeded,
      failed,
      deleted: job.deletedAt !== undefined,
    });
    for (let order = 0; order < state.done; order++) {
      if (!answers.isBilled(order)) continue;
      const { row } = answers.row(order);
      const text = `${row.path} ${canonicalJson(row.body)}`;
      const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
      const known = rows.get(hash);
      if (known === undefined) {
        rows.set(hash, { hash, billed: 1, ids: [row.id], jobs: [job.id] });
      } else {
        known.billed++;
        known.ids.push(row.id);
        if (!known.jobs.includes(job.id)) known.jobs.push(job.id);
      }
    }
  }
  const listed = [...rows.values()];
  const twice = listed.filter(({ billed }) => billed > 1);
  return {
    jobs,
    totals: {
      jobs: jobs.length,
      rows: jobs.reduce((sum, job) => sum + job.rows, 0),
      billed: jobs.reduce((sum, job) => sum + job.billed, 0),
      billed_twice: twice.length,
    },
    rows: all ? listed : twice,
  };
}
