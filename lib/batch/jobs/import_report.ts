/**
 * Counts what an import finds, and reports it to the user.
 *
 * @module
 */
/** What an import has found. Numbers of rows, unless said otherwise. */
export interface ImportReport {
  answered: number;
  failed: number;
  /** Rows whose results the result file already had. */
  alreadyDone: number;
  /** Results of parts that were imported completely before. */
  alreadyImported: number;
  /** Results that belong to no exported row. */
  unknown: number;
  /** Rows with more than one result. */
  double: number;
  /** Rows that the runner did not run, for example because it was cancelled. */
  notRun: number;
  /** Lines that are not results, and the first of them. */
  unreadable: { lines: number; first?: string };
  /** Rows that are exported and have no result yet. */
  left: number;
}

/** A report without anything. */
export function emptyImportReport(): ImportReport {
  return {
    answered: 0,
    failed: 0,
    alreadyDone: 0,
    alreadyImported: 0,
    unknown: 0,
    double: 0,
    notRun: 0,
    unreadable: { lines: 0 },
    left: 0,
  };
}
function count(n: number, thing: string): string {
  return `${n.toLocaleString("en-US")} ${thing}${n === 1 ? "" : "s"}`;
}

/** What the user should know about an import, in whole sentences. */
export function importNotes(report: ImportReport): string[] {
  const { unreadable, unknown, double, notRun, alreadyImported, left } = report;
  const notes: string[] = [];
  if (unreadable.lines > 0) {
    notes.push(
      `Skipped ${count(unreadable.lines, "line")} that ${
        unreadable.lines === 1 ? "is not a result" : "are not results"
      }, the first one at ${unreadable.first}.`,
    );
  }
  if (unknown > 0) {
    notes.push(
      `${count(unknown, "result")} belong${unknown === 1 ? "s" : ""} to no exported record.`,
    );
  }
  if (double > 0) {
    notes.push(`Ignored ${count(double, "result")} of records that already had one.`);
  }
  if (alreadyImported > 0) {
    notes.push(`${count(alreadyImported, "result")} had already been imported.`);
  }
  if (notRun > 0) notes.push(`${count(notRun, "record")} did not run.`);
  if (left > 0) {
    notes.push(
      `${count(left, "exported record")} still ${left === 1 ? "has" : "have"} no result: import ` +
        "the rest later, or export them again with --export DIR --resend.",
    );
  }
  return notes;
}
