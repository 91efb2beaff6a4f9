/**
 * The folder with the parts of a batch, `OUT.parts/` next to the result file. Only its owner can read it, as it
 * contains prompts.
 *
 * @module
 */
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { JournalError } from "../../errors.ts";
import { syncFolder } from "../../files/sync_folder.ts";
import { fileProblem, resolvePath } from "../journal/output_file.ts";

/** The files of a part start with its nonce. */
const PART_FILE = /^([a-z0-9]{10})\.(?:rows|records)\.jsonl$/;

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** The folder of one result file. */
export class PartFolder {
  /** Its absolute path. */
  readonly path: string;
  /** Its path as the user would write it, for messages. */
  readonly name: string;

  /** @param output the path of the result file */
  constructor(output: string) {
    this.path = `${resolvePath(output)}.parts`;
    this.name = join(dirname(output), basename(this.path));
  }

  /** The log of all steps. */
  get log(): string {
    return join(this.path, "log.jsonl");
  }

  /** The input of a part, exactly as sent. */
  rows(nonce: string): string {
    return join(this.path, `${nonce}.rows.jsonl`);
  }

  /** The records of a part's rows. */
  records(nonce: string): string {
    return join(this.path, `${nonce}.records.jsonl`);
  }

  /** The path of a file in the folder as the user would write it. */
  shown(path: string): string {
    return join(this.name, basename(path));
  }

  /**
   * Creates the folder unless it exists.
   *
   * @throws {JournalError} if it cannot be created
   */
  create(): void {
    try {
      if (mkdirSync(this.path, { recursive: true, mode: 0o700 }) === undefined) return;
      syncFolder(dirname(this.path));
    } catch (error) {
      if (codeOf(error) === "EEXIST" || codeOf(error) === "ENOTDIR") {
        throw new JournalError(`${this.name} is a file, not a folder`, {
          cause: error,
          hint: "Provider batches keep their state in a folder of that name. " +
            "Rename the file, or choose another output file.",
        });
      }
      throw fileProblem(error, this.name);
    }
  }

  /** Creates an empty log unless it exists, so that {@link PartFolder.checkLog} can tell whether one was lost. */
  createLog(): void {
    closeSync(openSync(this.log, "a", 0o600));
  }

  /**
   * Checks that a folder with the files of parts has its log.
   *
   * @throws {JournalError} if it was lost
   */
  checkLog(): void {
    const parts = this.partsWithFiles().size;
    if (parts === 0 || statSync(this.log, { throwIfNoEntry: false }) !== undefined) return;
    throw new JournalError(
      `${this.shown(this.log)} is missing, and ${this.name} has the rows of ${parts} ` +
        `${parts === 1 ? "part" : "parts"}`,
      {
        hint:
          "Restore that file from a backup: it names the provider's jobs, whose rows would be " +
          "sent, and billed, again. If nothing was submitted, delete the folder.",
      },
    );
  }

  /** Deletes the log, if it is empty, and then the folder. */
  removeEmptyLog(): void {
    try {
      const isEmpty = statSync(this.log).size === 0 && this.partsWithFiles().size === 0;
      if (isEmpty) rmSync(this.log);
    } catch {
      // There is none.
    }
    this.removeIfEmpty();
  }

  /** Syncs the names in the folder to disk. */
  sync(): void {
    syncFolder(this.path);
  }

  /** Deletes the files of a part. */
  deletePart(nonce: string): void {
    for (const path of [this.rows(nonce), this.records(nonce)]) {
      try {
        rmSync(path, { force: true });
      } catch {
        // The next run tries again.
      }
    }
  }

  /** The nonces of all parts that have files. */
  partsWithFiles(): Set<string> {
    const nonces = new Set<string>();
    for (const name of this.#names()) {
      const match = PART_FILE.exec(name);
      if (match !== null) nonces.add(match[1]);
    }
    return nonces;
  }

  /** Removes the folder if nothing is in it. */
  removeIfEmpty(): void {
    try {
      rmdirSync(this.path);
    } catch {
      // It is not empty, or does not exist.
    }
  }

  /**
   * Requests the cancellation of all parts from the process that holds the lock.
   *
   * @throws {JournalError} if there are no parts, or the request cannot be written
   */
  requestCancel(): void {
    try {
      writeFileSync(this.#cancelMarker, "", { mode: 0o600 });
    } catch (error) {
      if (codeOf(error) === "ENOENT") {
        throw new JournalError(`${this.name} does not exist: nothing was submitted`, {
          cause: error,
        });
      }
      throw fileProblem(error, this.shown(this.#cancelMarker));
    }
  }

  /** Whether {@link PartFolder.requestCancel} was called. */
  isCancelRequested(): boolean {
    return statSync(this.#cancelMarker, { throwIfNoEntry: false }) !== undefined;
  }

  /** Withdraws the request. */
  clearCancelRequest(): void {
    rmSync(this.#cancelMarker, { force: true });
  }

  get #cancelMarker(): string {
    return join(this.path, "cancel");
  }

  #names(): string[] {
    try {
      return readdirSync(this.path);
    } catch {
      return [];
    }
  }
}
