/**
 * Writes one run to the events file of a batch (`OUT.events`). The file stays below 1 MB, however long the run is
 * and however many runs there are.
 *
 * Lines are appended. When the file has grown too much, or another program has changed it, it is replaced by a copy
 * with longer periods. So a kill at any moment leaves a readable file. The only writer is the process that holds the
 * lock of the result file.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { closeSync, openSync, readSync, rmSync, statSync } from "node:fs";
import { writeAll } from "../../files/write_all.ts";
import { replaceWith } from "../journal/copy_file.ts";
import type { EventLine, RunLine } from "./event_lines.ts";
import { GrowingRun, linesOf } from "./event_run.ts";
import { fitRuns } from "./fit_runs.ts";
import { eventsPath, parseRuns, startOfFile } from "./read_events.ts";
import { parseEvent } from "./parse_event.ts";

/** Maximum bytes of the file. */
export const MAX_EVENTS_SIZE = 1_000_000;
/** Bytes that a rewritten file may have, which leaves room for lines to be appended. */
const REWRITTEN_SIZE = 700_000;
/** Lines that are appended before the file is rewritten with longer periods. */
const MAX_APPENDED = 1000;
/** Bytes at the start of a file that show whether it is an events file. */
const PROBED = 64_000;
/** How every file starts. */
const START = '{"type":"run"';

const NEWLINE = 10;

/** Thrown if there is something else in the place of an events file. */
export class ForeignFileError extends Error {}

/** Whether an existing file, of which this is the start, may be written to. */
function isEventsFile(start: string): boolean {
  // A power failure can leave zeros, or a part of the first line.
  const text = start.replaceAll("\0", "").slice(0, START.length);
  if (START.startsWith(text) || text === START) return true;
  return start.split("\n").some((line) => parseEvent(line) !== undefined);
}

/** Appends to the file at `path`. A new one has the permissions that the umask leaves. */
function appendTo(path: string, bytes: Uint8Array): void {
  const fd = openSync(path, "a");
  try {
    writeAll(fd, bytes);
  } finally {
    closeSync(fd);
  }
}

/** Whether a file of `size` bytes ends with a newline. */
function endsLine(path: string, size: number): boolean {
  const fd = openSync(path, "r");
  try {
    const last = Buffer.alloc(1);
    readSync(fd, last, 0, 1, size - 1);
    return last[0] === NEWLINE;
  } finally {
    closeSync(fd);
  }
}

/** The events file of one run. Nothing is written before the first {@link EventsFile.append}. */
export class EventsFile {
  /** Its path. */
  readonly path: string;
  readonly #run: GrowingRun;
  /** Whether earlier runs are of another result file, which was removed. */
  readonly #isNew: boolean;
  /** The size after our last write; `undefined` before the first. */
  #size: number | undefined;
  #appended = 0;

  /**
   * Prepares to write `run` to the events file of the result file `output`.
   *
   * @param isNew whether the result file is new, so that an existing events file is not about it
   * @throws {ForeignFileError} if there is another kind of file
   * @throws a file system error if an existing file cannot be read
   */
  constructor(output: string, run: RunLine, isNew = false) {
    this.#isNew = isNew;
    this.path = eventsPath(output);
    this.#run = new GrowingRun(run);
    this.#checkKind();
  }

  /** @throws {ForeignFileError} if there is another kind of file */
  #checkKind(): void {
    const stats = statSync(this.path, { throwIfNoEntry: false });
    if (stats === undefined) return;
    if (!stats.isFile()) throw new ForeignFileError("it is not a regular file");
    if (!isEventsFile(startOfFile(this.path, PROBED))) {
      throw new ForeignFileError("it has other content");
    }
  }

  /** Whether anything was written. */
  get isWritten(): boolean {
    return this.#size !== undefined;
  }

  /**
   * Adds lines to the run. The first call also writes its start.
   *
   * @throws a file system error; then the file is still readable
   */
  append(lines: readonly EventLine[]): void {
    for (const line of lines) this.#run.add(line);
    const isFirst = this.#size === undefined;
    if (isFirst && this.#isNew) rmSync(this.path, { force: true });
    const stats = statSync(this.path, { throwIfNoEntry: false });
    const size = stats?.size ?? 0;
    const isChanged = !isFirst && size !== this.#size;
    const text = linesOf(isFirst ? [this.#run.start, ...lines] : lines);
    // A run that was killed may have left a line without its end.
    const isTorn = isFirst && size > 0 && !endsLine(this.path, size);
    const bytes = Buffer.from(isTorn ? `\n${text}` : text);
    this.#appended += lines.length;
    if (isChanged || size + bytes.length > MAX_EVENTS_SIZE || this.#appended > MAX_APPENDED) {
      return this.#rewrite(stats?.mode);
    }
    appendTo(this.path, bytes);
    this.#size = size + bytes.length;
  }

  /** Removes the file if it has only this run. */
  discard(): void {
    if (!this.isWritten) return;
    const others = this.#others();
    if (others.length === 0) rmSync(this.path, { force: true });
  }

  #others(): GrowingRun[] {
    return parseRuns(startOfFile(this.path, 8 * MAX_EVENTS_SIZE))
      .filter(({ start }) => start.at !== this.#run.start.at);
  }

  #rewrite(mode: number | undefined): void {
    this.#checkKind();
    const bytes = Buffer.from(fitRuns([...this.#others(), this.#run], REWRITTEN_SIZE));
    if (mode === undefined) {
      // Created first, so that it has the permissions of a new file.
      appendTo(this.path, Buffer.alloc(0));
      mode = statSync(this.path).mode;
    }
    replaceWith(this.path, mode, (target) => writeAll(target, bytes));
    this.#size = bytes.length;
    this.#appended = 0;
  }
}
