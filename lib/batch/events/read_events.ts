/**
 * Reads the events file of a batch: its runs, each with its settings, periods and marks.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { resolvePath } from "../journal/output_file.ts";
import { type EventRun, GrowingRun } from "./event_run.ts";
import { parseEvent } from "./parse_event.ts";

export type { EventRun };

/** Bytes that are read of a file. The writer's files have up to 1 MB, but several may have been joined. */
const READ_LIMIT = 8_000_000;
/** Maximum runs that are read: the latest ones. */
const MAX_RUNS = 1000;

/** The path of the events file of the result file `output`. */
export function eventsPath(output: string): string {
  return `${resolvePath(output)}.events`;
}

/** The start of a file, up to `limit` bytes; empty if it does not exist or is not a regular file. */
export function startOfFile(path: string, limit: number): string {
  // Opening a pipe would wait for a writer.
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return "";
  const fd = openSync(path, "r");
  try {
    const bytes = Buffer.allocUnsafe(Math.min(fstatSync(fd).size, limit));
    let filled = 0;
    while (filled < bytes.length) {
      const read = readSync(fd, bytes, filled, bytes.length - filled, filled);
      if (read === 0) break;
      filled += read;
    }
    return bytes.toString("utf8", 0, filled);
  } finally {
    closeSync(fd);
  }
}

/** Reads the runs in the text of an events file. Ignores lines that are torn or of unknown types. */
export function parseRuns(text: string): GrowingRun[] {
  const runs: GrowingRun[] = [];
  for (const json of text.split("\n")) {
    const line = json === "" ? undefined : parseEvent(json);
    if (line === undefined) continue;
    if (line.type === "run") runs.push(new GrowingRun(line));
    else runs.at(-1)?.add(line);
    if (runs.length > MAX_RUNS) runs.shift();
  }
  return runs;
}

/**
 * Reads the events file at `path`, or up to 8 MB of it. Returns no runs if it does not exist, or is another kind
 * of file.
 *
 * @throws a file system error if it cannot be read
 */
export function readEvents(path: string): EventRun[] {
  return parseRuns(startOfFile(path, READ_LIMIT)).map((run) => run.run());
}
