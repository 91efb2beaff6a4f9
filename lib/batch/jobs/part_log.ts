/**
 * Reads and writes the log of a batch's parts: one JSON line for each step, synced to disk before the next step.
 *
 * A process that is killed leaves at most a torn last line, whose step it never acted on. Events of a later
 * version are skipped, and stay in the file.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  closeSync,
  constants,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from "node:fs";
import { JournalError } from "../../errors.ts";
import { asObject, asText, type Json } from "../../json/json.ts";
import { writeAll } from "../../files/write_all.ts";
import { replaceWith } from "../journal/copy_file.ts";
import { fileProblem } from "../journal/output_file.ts";
import { eventProblem, isKnownEvent } from "./event_problem.ts";
import type { PartEvent, PartState } from "./part_events.ts";
import { applyEvent } from "./part_state.ts";

/** A line of the log, and the part that it belongs to. */
interface LogLine {
  text: string;
  part: string;
}

/** What a log says. */
export interface LogContents {
  /** The parts in the order in which they were planned. */
  parts: Map<string, PartState>;
  lines: LogLine[];
  /** Size in bytes of the whole lines. */
  size: number;
  /** Whether the last of them lacks its newline. */
  isUnended: boolean;
}

function readText(path: string, name: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    // Without the folder, or with a file in its place, there is no log either.
    if (code === "ENOENT" || code === "ENOTDIR") return "";
    throw new JournalError(
      `cannot read ${name}: ${error instanceof Error ? error.message : error}`,
      { cause: error, hint: "Check the permissions of the file and its folder." },
    );
  }
}

function corruptLine(name: string, number: number, problem: string): JournalError {
  return new JournalError(`${name}:${number} is damaged: ${problem}`, {
    hint: "Restore that file from a backup, or fix the line. Don't delete the file: it names the " +
      "provider's jobs, whose rows would be sent, and billed, again.",
  });
}

function parseObject(text: string): Json | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * Reads the log at `path`. A missing file is an empty log.
 *
 * @param name its path for messages
 * @throws {JournalError} if it cannot be read, or a line other than a torn last one is damaged
 */
export function readLog(path: string, name: string): LogContents {
  const contents: LogContents = { parts: new Map(), lines: [], size: 0, isUnended: false };
  const texts = readText(path, name).split("\n");
  for (const [i, text] of texts.entries()) {
    const isLast = i === texts.length - 1;
    if (isLast && text === "") break;
    const event = parseObject(text);
    // The process was killed, or the disk was full, while the line was written.
    if (isLast && event === undefined) break;
    if (event === undefined) throw corruptLine(name, i + 1, "it is not a JSON object");
    const { parts } = contents;
    if (isKnownEvent(event)) {
      const problem = eventProblem(event, parts);
      if (problem !== undefined) throw corruptLine(name, i + 1, problem);
      const known = event as unknown as PartEvent;
      parts.set(known.part, applyEvent(parts.get(known.part), known));
    }
    contents.lines.push({ text, part: asText(event.part) ?? "" });
    contents.size += Buffer.byteLength(text) + (isLast ? 0 : 1);
    contents.isUnended = isLast;
  }
  return contents;
}

/** A log that is open for appending. The caller holds the lock of the result file. */
export class PartLog {
  readonly #path: string;
  readonly #name: string;
  #size: number;
  #isUnended: boolean;
  #fd: number | undefined;

  /**
   * @param path its path; the folder must exist when the first line is written
   * @param name its path for messages
   * @param contents what {@link readLog} returned
   */
  constructor(path: string, name: string, { size, isUnended }: LogContents) {
    this.#path = path;
    this.#name = name;
    this.#size = size;
    this.#isUnended = isUnended;
  }

  /** Whether the log has a line. */
  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /**
   * Appends an event, and syncs it to disk.
   *
   * @throws {JournalError} if it cannot be written; then it is not in the log
   */
  append(event: PartEvent): void {
    const line = Buffer.from(`${this.#isUnended ? "\n" : ""}${JSON.stringify(event)}\n`);
    try {
      this.#fd ??= this.#open();
      this.#write(this.#fd, line);
    } catch (error) {
      throw fileProblem(error, this.#name);
    }
    this.#size += line.length;
    this.#isUnended = false;
  }

  /**
   * Replaces the log with the given lines, atomically.
   *
   * @throws {JournalError} if that fails; then the log is unchanged
   */
  rewrite(lines: readonly LogLine[]): void {
    this.close();
    const bytes = Buffer.from(lines.map(({ text }) => `${text}\n`).join(""));
    try {
      replaceWith(this.#path, 0o600, (target) => writeAll(target, bytes));
    } catch (error) {
      throw fileProblem(error, this.#name);
    }
    this.#size = bytes.length;
    this.#isUnended = false;
  }

  /** Closes the file. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #open(): number {
    // Not truncated to nothing on opening, but to its whole lines.
    const fd = openSync(this.#path, constants.O_RDWR | constants.O_CREAT, 0o600);
    ftruncateSync(fd, this.#size);
    return fd;
  }

  #write(fd: number, line: Buffer): void {
    try {
      for (let written = 0; written < line.length;) {
        written += writeSync(fd, line, written, line.length - written, this.#size + written);
      }
      fdatasyncSync(fd);
    } catch (error) {
      try {
        ftruncateSync(fd, this.#size);
      } catch {
        // The next run ignores the torn line.
      }
      throw error;
    }
  }
}
