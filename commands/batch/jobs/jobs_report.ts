/**
 * Reports what a run of provider jobs left at the provider.
 *
 * @module
 */
import type { Journal } from "../../../lib/batch/journal/journal.ts";
import type { ExportedFile } from "../../../lib/batch/executors/export.ts";
import type { PartState } from "../../../lib/batch/jobs/part_events.ts";
import type { PartStore } from "../../../lib/batch/jobs/part_store.ts";
import type { BatchSummary } from "../../../lib/batch/summary.ts";
import { counted, duration, quoted } from "../../terminal/format.ts";
import type { Unfinished } from "../exit_code.ts";
import { heldParts } from "./held_parts.ts";
import { openRows } from "./held_rows.ts";
import type { JobsOutcome } from "./jobs_run.ts";

/** How a run of provider jobs ended. */
export interface JobsReport {
  unfinished: Unfinished;
  /** Whether the deadline ended it. */
  deadlineReached: boolean;
  /** All parts of the result file. */
  parts: readonly PartState[];
  /** The parts that are at the provider, and their rows without a result. */
  submitted: { parts: readonly PartState[]; rows: number };
  /** The parts that are in files, and their rows without a result. */
  exported: { parts: readonly PartState[]; rows: number };
  /** Records without a result that are neither at the provider nor in files. */
  left: number;
  /** The exported files: new ones, and those of earlier runs. */
  files: readonly ExportedFile[];
}

/** What {@link jobsReport} needs. */
export interface JobsReportContext {
  store: PartStore;
  journal: Pick<Journal, "state">;
  /** The models of the run. */
  prepared: readonly { name: string | undefined }[];
  /** Number of selected records. */
  total: number;
}

/** Whether a job of the part exists, or may exist. */
function isAtProvider({ phase }: PartState): boolean {
  return phase !== "planned" && phase !== "uploaded" && phase !== "exported";
}

/** Describes how a run ended. */
export function jobsReport(
  { summary, jobs }: { summary: BatchSummary; jobs?: JobsOutcome },
  { store, journal, prepared, total }: JobsReportContext,
): JobsReport {
  const held = heldParts(store.parts, prepared);
  const withRows = (parts: PartState[]) => ({
    parts,
    rows: parts.reduce((sum, part) => sum + openRows(part, store, journal), 0),
  });
  const submitted = withRows(held.filter((part) => isAtProvider(part)));
  const exported = withRows(held.filter(({ phase }) => phase === "exported"));
  const { restored, succeeded, failed } = summary;
  const left = Math.max(
    0,
    total - restored - succeeded - failed - submitted.rows - exported.rows,
  );
  return {
    unfinished: {
      submitted: held.length > 0,
      cancelled: jobs?.cancelled ?? false,
      left: left > 0,
    },
    deadlineReached: jobs?.deadlineReached ?? false,
    parts: store.parts,
    submitted,
    exported,
    left,
    files: jobs?.files ?? [],
  };
}

function expiry(parts: readonly PartState[], now: number): string {
  const times = parts.map(({ job }) => job?.expiresAt).filter((time) => time !== undefined);
  if (times.length === 0) return "";
  const seconds = (Math.min(...times) - now) / 1000;
  if (seconds <= 0) {
    return parts.length === 1 ? "; past its expiry" : "; the first is past its expiry";
  }
  return parts.length === 1
    ? `; it expires in ${duration(seconds)}`
    : `; the first expires in ${duration(seconds)}`;
}

/**
 * The sentences about what is left.
 *
 * @param now in milliseconds since 1970
 * @param heads what introduces the rows at the provider, and those in files
 */
export function jobsSentences(
  { submitted, exported, left, ...rest }: JobsReport,
  now: number,
  heads: { submitted: string; exported: string } = {
    submitted: "At the provider",
    exported: "Exported",
  },
): string[] {
  const sentences: string[] = [];
  if (submitted.parts.length > 0) {
    sentences.push(
      `${heads.submitted}: ${counted(submitted.rows, "row")} in ` +
        `${counted(submitted.parts.length, "part")}${expiry(submitted.parts, now)}`,
    );
  }
  if (exported.parts.length > 0) {
    sentences.push(
      `${heads.exported}: ${counted(exported.rows, "row")} in ` +
        counted(exported.parts.length, "file"),
    );
  }
  if (left > 0) {
    const why = rest.unfinished.cancelled
      ? "the jobs were cancelled"
      : rest.deadlineReached
      ? "the deadline has passed"
      : "not submitted yet";
    sentences.push(`Without a result: ${counted(left, "record")} (${why})`);
  }
  return sentences;
}

/** The lines that list the exported files and say how to continue. */
export function exportHints(
  { files }: Pick<JobsReport, "files">,
  resume: string,
): string[] {
  const [first] = files;
  if (first === undefined) return [];
  const results = first.path.replace(/\.jsonl$/, ".results.jsonl");
  const listed = files.map(({ path, rows, status }) =>
    `  ${path}: ${counted(rows, "row")}${status === "existing" ? ", exported earlier" : ""}`
  );
  return [
    "Files:",
    ...listed,
    `To run ${files.length === 1 ? "it" : "the first one"} with vLLM: vllm run-batch -i ${
      quoted(first.path)
    } -o ${quoted(results)} --model ${quoted(first.model)}`,
    `To import the results: ${resume} --import ${quoted(results)}`,
  ];
}

/** The line that says how to continue after an import that left records without a result. */
export function importHint({ submitted, exported }: JobsReport, resume: string) {
  if (exported.parts.length === 0 || submitted.parts.length > 0) return undefined;
  return `To import the rest: ${resume} --import FILE`;
}

/** The line that names the command for the state of the jobs; `undefined` if there are none. */
export function statusHint({ submitted }: JobsReport, output: string): string | undefined {
  if (submitted.parts.length === 0) return undefined;
  return `To see the jobs: flexllm batch status ${quoted(output)}`;
}
