/**
 * Stores the state of a batch that must survive a kill and is not in its result file (`OUT.state`):
 * reserved money, requests submitted to a provider.
 *
 * Each entry is one JSON line with a `type`. Entries of unknown types, written by a later version, are not
 * changed. An entry is padded with spaces and updated in place, so a kill leaves the old entry or the new
 * one, and a full disk does not prevent an update.
 *
 * The only writer is the process that holds the lock of the result file.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  closeSync,
  constants,
  fdatasyncSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { JournalError } from "../../errors.ts";
import { asObject, asText, type Json } from "../../json/json.ts";
import { fileProblem, resolvePath } from "./output_file.ts";

/** Line lengths are multiples of this, which leaves room for an entry to grow in place. */
const BLOCK = 128;
/** The type of an entry that names none, as version 0.1.0 wrote it. */
const DEFAULT_TYPE = "spending";

/** A line of the file, with its newline. */
interface StoredLine {
  offset: number;
  length: number;
  entry: Json;
}

/** The error for a file at `path` with other content. */
export function stateFileProblem(path: string): JournalError {
  return new JournalError(`${path} is not a state file of flexllm`, {
    hint:
      "Delete it if requests that were in flight in a killed run need not count towards the budget.",
  });
}

/** The state file of one result file. It exists only while it has entries. */
export class StateFile {
  /** Its path, for messages. */
  readonly path: string;
  readonly #lines = new Map<string, StoredLine>();
  #size = 0;
  #fd: number | undefined;

  /**
   * Reads the state file of the result file `output`, if there is one.
   *
   * @throws {JournalError} if it cannot be read, or has other content
   */
  constructor(output: string) {
    this.path = `${resolvePath(output)}.state`;
    for (const line of this.#read().split("\n")) {
      if (line === "") continue;
      const length = Buffer.byteLength(line) + 1;
      if (line.trim() !== "") this.#addLine(line, length);
      this.#size += length;
    }
  }

  /** The fields of the entry of `type`. */
  get(type: string): Json | undefined {
    return this.#lines.get(type)?.entry;
  }

  /**
   * Writes the entry of `type`, replacing any earlier one, and syncs it to disk.
   *
   * @throws {JournalError} if it cannot be written
   */
  set(type: string, fields: Json): void {
    const entry = { type, ...fields };
    const json = JSON.stringify(entry);
    const needed = Buffer.byteLength(json) + 1;
    const old = this.#lines.get(type);
    const fits = old !== undefined && needed <= old.length;
    const length = fits ? old.length : Math.ceil(needed / BLOCK) * BLOCK;
    const offset = fits ? old.offset : this.#size;
    this.#write(json, offset, length);
    this.#size = Math.max(this.#size, offset + length);
    this.#lines.set(type, { offset, length, entry });
    if (old !== undefined && !fits) this.#write("", old.offset, old.length);
  }

  /** Removes the entry of `type`. */
  delete(type: string): void {
    const stored = this.#lines.get(type);
    this.#lines.delete(type);
    // Without entries, close() removes the file.
    if (stored !== undefined && this.#lines.size > 0) this.#write("", stored.offset, stored.length);
  }

  /** Closes the file, and deletes it if it has no entry. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    if (this.#lines.size === 0) rmSync(this.path, { force: true });
  }

  #read(): string {
    try {
      return readFileSync(this.path, "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
      throw fileProblem(error, this.path);
    }
  }

  #addLine(line: string, length: number): void {
    let entry: Json | undefined;
    try {
      entry = asObject(JSON.parse(line));
    } catch {
      // Reported below.
    }
    if (entry === undefined) throw stateFileProblem(this.path);
    this.#lines.set(asText(entry.type) ?? DEFAULT_TYPE, { offset: this.#size, length, entry });
  }

  #write(json: string, offset: number, length: number): void {
    const bytes = Buffer.alloc(length, " ");
    bytes.write(json);
    bytes[length - 1] = 10;
    try {
      // Not truncated on opening: the process may be killed before the write.
      this.#fd ??= openSync(this.path, constants.O_RDWR | constants.O_CREAT, 0o666);
      writeSync(this.#fd, bytes, 0, bytes.length, offset);
      fdatasyncSync(this.#fd);
    } catch (error) {
      throw fileProblem(error, this.path);
    }
  }
}
