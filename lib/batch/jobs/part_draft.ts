/**
 * Writes the rows and the records of a part while it is being planned.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { closeSync, fdatasyncSync, openSync } from "node:fs";
import { FlexLLMError } from "../../errors.ts";
import { BufferedWriter } from "../../files/buffered_writer.ts";
import type { IndexedRecord } from "../executor.ts";
import { writeAll } from "../../files/write_all.ts";
import { fileProblem } from "../journal/output_file.ts";
import type { PreparedRow } from "./job_client.ts";
import type { PartState, PlannedPart } from "./part_events.ts";
import type { PartFolder } from "./part_folder.ts";
import { encodePartRecord } from "./part_record_line.ts";
import type { PartDraft } from "./part_store.ts";
import { formatRowId, rowFingerprint } from "./row_id.ts";

/** A file that lines are written to. */
class LineFile {
  readonly path: string;
  readonly #fd: number;
  readonly #writer: BufferedWriter;

  /** @param onBytes called with all bytes that are written, in order */
  constructor(path: string, onBytes?: (bytes: Buffer) => void) {
    this.path = path;
    this.#fd = openSync(path, "wx", 0o600);
    this.#writer = new BufferedWriter((bytes) => {
      writeAll(this.#fd, bytes);
      onBytes?.(bytes);
    });
  }

  write(line: string): void {
    this.#writer.text(line);
    this.#writer.text("\n");
  }

  sync(): void {
    this.#writer.flush();
    fdatasyncSync(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** The files of a draft, which exist from its first row on. */
interface DraftFiles {
  rows: LineFile;
  records: LineFile;
}

/** A {@link PartDraft} in a folder. */
export class FileDraft implements PartDraft {
  readonly nonce: string;
  readonly #folder: PartFolder;
  readonly #log: (planned: PlannedPart) => PartState;
  readonly #sha256 = createHash("sha256");
  #files: DraftFiles | undefined;
  /** Whether it is planned or deleted. */
  #isDone = false;
  #rows = 0;
  #bytes = 0;
  #promptTokens = 0;
  #maxCost: number | null = 0;

  /** @param log logs the part as planned */
  constructor(nonce: string, folder: PartFolder, log: (planned: PlannedPart) => PartState) {
    this.nonce = nonce;
    this.#folder = folder;
    this.#log = log;
  }

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get promptTokens(): number {
    return this.#promptTokens;
  }

  get maxCost(): number | null {
    return this.#maxCost;
  }

  rowId({ index }: IndexedRecord, { request }: PreparedRow): string {
    return formatRowId({ nonce: this.nonce, index, fingerprint: rowFingerprint(request) });
  }

  /** @throws {JournalError} if it cannot be written; then the draft is deleted */
  add(record: IndexedRecord, row: PreparedRow, id: string, line: string): void {
    const recordLine = encodePartRecord(id, record);
    this.#write(({ rows, records }) => {
      rows.write(line);
      records.write(recordLine);
    });
    this.#rows++;
    this.#bytes += Buffer.byteLength(line) + 1;
    this.#promptTokens += row.promptTokens;
    this.#maxCost = this.#maxCost === null || row.maxCost === null
      ? null
      : this.#maxCost + row.maxCost;
  }

  /** @throws {JournalError} if it cannot be written; then the draft is deleted */
  plan(
    fields: Pick<PlannedPart, "api" | "endpoint" | "key" | "model" | "path" | "requested_model">,
  ): PartState {
    if (this.#rows === 0) throw new Error("a part needs at least one row");
    this.#write(({ rows, records }) => {
      rows.sync();
      records.sync();
    });
    this.#close();
    this.#isDone = true;
    this.#folder.sync();
    try {
      return this.#log({
        ...fields,
        part: this.nonce,
        rows: this.#rows,
        bytes: this.#bytes,
        sha256: this.#sha256.digest("hex"),
        prompt_tokens: this.#promptTokens,
        reserved: this.#maxCost,
      });
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  discard(): void {
    this.#isDone = true;
    this.#close();
    this.#folder.deletePart(this.nonce);
  }

  #open(): DraftFiles {
    this.#folder.create();
    this.#folder.createLog();
    const rows = new LineFile(this.#folder.rows(this.nonce), (bytes) => {
      this.#sha256.update(bytes);
    });
    try {
      return { rows, records: new LineFile(this.#folder.records(this.nonce)) };
    } catch (error) {
      rows.close();
      throw error;
    }
  }

  #write(write: (files: DraftFiles) => void): void {
    // A draft that has lost rows must not be planned.
    if (this.#isDone) throw new Error(`the part ${this.nonce} takes no more rows`);
    try {
      this.#files ??= this.#open();
      write(this.#files);
    } catch (error) {
      this.discard();
      throw error instanceof FlexLLMError ? error : fileProblem(error, this.#folder.name);
    }
  }

  #close(): void {
    this.#files?.rows.close();
    this.#files?.records.close();
    this.#files = undefined;
  }
}
