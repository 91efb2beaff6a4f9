/**
 * The types of an open input.
 *
 * @module
 */
import type { ReadBytes } from "../files/lines.ts";

/** One open file of an input. Every line that is not blank holds a record. */
export interface InputFile {
  /** Its name, for messages. */
  name: string;
  fd: number;
  /** Reads the file as it was when it was opened. Absent if no other program can change it. */
  read?: ReadBytes;
  /** Whether another program has appended to it since. */
  hasGrown?(): boolean;
  /** What a line holds: a JSON value, or the text of a prompt. @default "json" */
  content?: "json" | "text";
  /**
   * Where the records come from, for messages:
   *
   * - `line`: from the line of the same number;
   * - `row`: from the row of the same number;
   * - `position`: from the position that the line starts with, as `LINE:COLUMN ` before its JSON, whose
   *   line breaks are written as `\r`.
   *
   * @default "line"
   */
  origin?: "line" | "row" | "position";
  /** The columns, if the input is a table; `fd` has its rows as JSON objects. */
  columns?: readonly string[];
  /**
   * Whether each record is a file. Then `fd` has complete conversations, whose prompts are rendered, and
   * a string in place of each file that cannot be sent.
   */
  isFiles?: boolean;
  /** What to do if its lines turn out to be invalid. */
  hint?: string;
  /** What the user should know about how it is read. */
  notes?: readonly string[];
  /** Closes the file, and removes it if it is temporary. */
  close(): void;
}

/** An open input: one or more files, whose records are numbered continuously. */
export interface BatchSource {
  /** Its name, for messages. */
  name: string;
  /** At least one. */
  files: readonly InputFile[];
  /** Whether each record is a file. */
  isFiles?: boolean;
  /** Whether another program has appended to a file since it was opened. */
  hasGrown(): boolean;
  /** Closes all files. */
  close(): void;
}
