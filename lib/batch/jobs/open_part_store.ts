/**
 * Opens the parts of a result file: `OUT.parts/` with their log, their inputs and their records.
 *
 * @module
 */
import { closeSync, fdatasyncSync, openSync } from "node:fs";
import type { JobInput } from "../../batch_api/batch_api.ts";
import { randomName } from "../../runtime/random_name.ts";
import { loadFingerprint } from "../journal/fingerprint.ts";
import { fileProblem, resolvePath } from "../journal/output_file.ts";
import { exportRows } from "./export_part.ts";
import { FileDraft } from "./part_draft.ts";
import { holdsRows, type PartEvent, type PartState } from "./part_events.ts";
import { PartFolder } from "./part_folder.ts";
import { openPartInput } from "./part_input.ts";
import { type LogContents, PartLog, readLog } from "./part_log.ts";
import { FileRecords } from "./part_records.ts";
import { applyEvent } from "./part_state.ts";
import type { EventFields, PartDraft, PartRecords, PartStore } from "./part_store.ts";
import { NONCE_LENGTH } from "./row_id.ts";

/** Finished parts in a log from which on the older half is left out. */
const MAX_FINISHED = 1000;
/** Milliseconds between two looks for a requested cancellation. */
const CANCEL_INTERVAL = 1000;

/** What a store depends on. */
export interface PartStoreOptions {
  /**
   * Generates the name of a part: ten lower-case letters and digits.
   *
   * @default from the system's secure randomness
   */
  nonce?: () => string;
  /**
   * Milliseconds since 1970.
   *
   * @default Date.now
   */
  now?: () => number;
}

/** Syncs the results that were written to `output` to disk. */
function syncResults(output: string): void {
  try {
    // Windows only syncs files that are open for writing.
    const fd = openSync(resolvePath(output), "r+");
    try {
      fdatasyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    // The results of a library user may be elsewhere.
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
    throw fileProblem(error, output);
  }
}

/** The parts of one result file, in its folder. */
class FilePartStore implements PartStore {
  readonly #output: string;
  readonly #folder: PartFolder;
  readonly #log: PartLog;
  readonly #states: Map<string, PartState>;
  readonly #nonce: () => string;
  readonly #now: () => number;
  #isCancelRequested = false;
  #lookedAt = -Infinity;

  constructor(output: string, options: PartStoreOptions) {
    const folder = new PartFolder(output);
    folder.checkLog();
    const contents = readLog(folder.log, folder.shown(folder.log));
    this.#output = output;
    this.#folder = folder;
    this.#log = new PartLog(folder.log, folder.shown(folder.log), contents);
    this.#states = contents.parts;
    this.#nonce = options.nonce ?? (() => randomName(NONCE_LENGTH));
    this.#now = options.now ?? Date.now;
    this.#deleteLeftovers();
    this.#shorten(contents);
  }

  get parts(): readonly PartState[] {
    return [...this.#states.values()];
  }

  draft(): PartDraft {
    return new FileDraft(this.#nonce(), this.#folder, ({ part, ...planned }) => {
      return this.log(part, { type: "planned", part, ...planned } as EventFields<PartEvent>);
    });
  }

  log(part: string, fields: EventFields<PartEvent>): PartState {
    const at = new Date(this.#now()).toISOString();
    const { type, ...rest } = fields;
    const event = { type, at, part, ...rest } as PartEvent;
    const state = applyEvent(this.#states.get(part), event);
    // Once this is in the log, nobody reads the results again: they must survive a power failure first.
    if (type === "collected") syncResults(this.#output);
    this.#log.append(event);
    this.#states.set(part, state);
    return state;
  }

  input(part: PartState): JobInput {
    const path = this.#folder.rows(part.part);
    return openPartInput(part, path, this.#folder.shown(path));
  }

  exportRows(part: PartState, file: string): void {
    // Checks that they are all there.
    this.input(part);
    exportRows(this.#folder.rows(part.part), file);
  }

  records(part: PartState): PartRecords {
    const path = this.#folder.records(part.part);
    return new FileRecords(part, path, this.#folder.shown(path));
  }

  release(part: PartState): void {
    this.#folder.deletePart(part.part);
  }

  isCancelRequested(): boolean {
    const now = this.#now();
    // The time of day can also be set back.
    if (Math.abs(now - this.#lookedAt) >= CANCEL_INTERVAL) {
      this.#lookedAt = now;
      this.#isCancelRequested = this.#folder.isCancelRequested();
    }
    return this.#isCancelRequested;
  }

  clearCancelRequest(): void {
    this.#isCancelRequested = false;
    this.#folder.clearCancelRequest();
  }

  [Symbol.dispose](): void {
    this.#log.close();
    if (this.#log.isEmpty) this.#folder.removeEmptyLog();
  }

  /** Deletes the files of drafts that a killed run left behind, and of parts that are finished. */
  #deleteLeftovers(): void {
    for (const nonce of this.#folder.partsWithFiles()) {
      const part = this.#states.get(nonce);
      if (part === undefined || !holdsRows(part)) this.#folder.deletePart(nonce);
    }
  }

  /** Leaves the oldest parts out of a long log, unless one is still needed. */
  #shorten({ lines }: LogContents): void {
    const parts = this.parts;
    if (parts.length <= MAX_FINISHED || parts.some(holdsRows)) return;
    const old = parts.slice(0, parts.length - MAX_FINISHED / 2)
      // The money of an abandoned part counts as spent for ever.
      .filter(({ phase }) => phase !== "abandoned").map(({ part }) => part);
    const dropped = new Set(old);
    this.#log.rewrite(lines.filter(({ part }) => !dropped.has(part)));
    for (const part of old) this.#states.delete(part);
  }
}

/**
 * Opens the parts of the result file `output`. Nothing is created before the first row. The caller holds the
 * lock of the result file.
 *
 * @throws {JournalError} if the log cannot be read, or is damaged or lost
 */
export async function openPartStore(
  output: string,
  options: PartStoreOptions = {},
): Promise<PartStore> {
  await loadFingerprint();
  return new FilePartStore(output, options);
}

/**
 * The parts of the result file `output`, without its lock: another process may be writing them.
 *
 * @throws {JournalError} if the log cannot be read, or is damaged
 */
export function readParts(output: string): PartState[] {
  const folder = new PartFolder(output);
  folder.checkLog();
  return [...readLog(folder.log, folder.shown(folder.log)).parts.values()];
}

/**
 * Requests the cancellation of all parts of `output` from the process that holds its lock.
 *
 * @throws {JournalError} if it has no parts, or the request cannot be written
 */
export function requestCancel(output: string): void {
  new PartFolder(output).requestCancel();
}
