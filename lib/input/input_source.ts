/**
 * The type of an open input.
 *
 * @module
 */
import type { ReadBytes } from "../files/lines.ts";

/** An open input. */
export interface InputFile {
  /** Its name, for messages. */
  name: string;
  fd: number;
  /** Reads the file as it was when it was opened. Absent if no other program can change it. */
  read?: ReadBytes;
  /** Whether another program has appended to it since. */
  hasGrown?(): boolean;
  /** The columns, if the input is a table; `fd` has its rows as JSON objects. */
  columns?: readonly string[];
  /**
   * Whether each record is a file. Then `fd` has complete conversations, whose prompts are rendered, and
   * a string in place of each file that cannot be sent.
   */
  isFiles?: boolean;
  /** What to do if its lines turn out to be invalid. */
  hint?: string;
  /** Closes the file, and removes it if it is temporary. */
  close(): void;
}
