/**
 * Writes the file of a report, and replaces nothing but another report.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ConfigurationError } from "../../lib/errors.ts";
import { isSameFile } from "../../lib/files/same_file.ts";

/** What every report has in its head. */
const GENERATOR = '<meta name="generator" content="flexllm report">';
const HEAD = 2000;

/** The path of the report on `files`, next to the first of them. */
export function defaultPath([file]: readonly string[]): string {
  const name = basename(file).replace(/\.(?:gz|zst|zstd)$/, "").replace(/\.(?:jsonl|ndjson)$/, "");
  return join(dirname(file), `${name}.report.html`);
}

function isReport(path: string): boolean {
  const fd = openSync(path, "r");
  try {
    const head = Buffer.alloc(HEAD);
    return head.toString("utf8", 0, readSync(fd, head, 0, HEAD, 0)).includes(GENERATOR);
  } finally {
    closeSync(fd);
  }
}

/**
 * Checks that a report can be written to `path`: it must not replace anything but a report.
 *
 * @param inputs the files that the report is about
 * @param force whether it may replace any file but those
 * @throws {ConfigurationError} if it cannot
 */
export function checkReportFile(path: string, inputs: readonly string[], force = false): void {
  if (inputs.some((input) => isSameFile(input, path))) {
    throw new ConfigurationError(`${path} is the result file itself`, {
      hint: "Choose another file for the report, such as report.html.",
    });
  }
  const existing = statSync(path, { throwIfNoEntry: false });
  if (existing === undefined) {
    if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory()) return;
    throw new ConfigurationError(
      `cannot write ${path}: the folder ${dirname(path)} does not exist`,
      {
        hint: "Create the folder, or choose another file.",
      },
    );
  }
  if (existing.isFile() && !force && existing.size > 0 && !isReport(path)) {
    throw new ConfigurationError(`${path} already exists and is not a report`, {
      hint: "Choose another file, or replace this one with `flexllm report --force`.",
    });
  }
}

/**
 * Writes a report.
 *
 * @throws {ConfigurationError} if it cannot be written
 */
export async function writeReportFile(path: string, page: string): Promise<void> {
  const { OutputFile } = await import("../../lib/results/output_file.ts");
  using file = new OutputFile(path, true);
  file.write(Buffer.from(page));
  file.complete();
}
