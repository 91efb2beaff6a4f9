/** Random faults of the mock, and what they excuse. */
import type { JobRecord } from "../../../lib/mock/batch/job.ts";
import { pick } from "./strikes.ts";

/** Faults that a batch must get over, each of which ends by itself. */
const FAULTS = [
  "create_drop@1",
  "create_drop@2",
  "create_commit_drop@1",
  "create_commit_drop@2-3",
  "create_commit_500@1",
  "create_commit_500@2",
  "create_commit_hang@1",
  "file_not_found@2",
  "upload_drop@2",
  "poll_502@every3",
  "poll_502@3",
  "cut_download@2",
  "cut_download@1",
  "list_page",
  "unlisted=20s",
  "hidden=8s",
  "missing_rows=2@1",
  "double_rows=3",
  "row_errors=2@2",
  "all_errors=500@1",
  "all_errors=400@1",
  "expire=40%@1",
  "expire=0%@1",
  "token_limit@1",
  "invalid_line=2@1",
  "stuck=40%@1",
  "blank_error_file",
  "empty_error_file",
  "line_separators",
  "capital_status",
  "counts_back",
  "cancel_loses=1",
  "uncancel=15s",
] as const;

/** None to three of them. */
export function randomFaults(random: () => number): string[] {
  const faults = new Set<string>();
  for (let n = Math.floor(random() * 4); n > 0; n--) faults.add(pick(random, FAULTS));
  return [...faults];
}

/** How many rows may be billed once more, because the provider itself has lost what it had billed. */
export function excusedRows(jobs: readonly JobRecord[]): number {
  return jobs.reduce((sum, { api, faults, rows, cancelledAt }) => {
    const { missing_rows: missing = 0, cancel_loses: lost = 0, uncancel, stuck = 0 } = faults;
    // Gemini has no results of a job that has expired.
    const expired = api === "gemini" ? Math.floor(rows * stuck) : 0;
    if (cancelledAt === undefined) return sum + missing + expired;
    return sum + (uncancel === undefined ? missing + lost : rows);
  }, 0);
}
