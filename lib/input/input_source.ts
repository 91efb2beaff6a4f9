/**
 * An input that is open for reading.
 *
 * @module
 */
import type { ReadBytes } from "../files/lines.ts";

/** An open input. */
export interface InputFile {
  /** What to call it in messages. */
  name: string;
  fd: number;
  /** Reads the file as it was when it was opened, if others may change it. */
  read?: ReadBytes;
  /** Whether something was appended to it since. */
  hasGrown?(): boolean;
  /** The names of the columns when it was a table; `fd` has its rows as JSON objects. */
  columns?: readonly string[];
  /** What to do if its lines turn out to be no records. */
  hint?: string;
  close(): void;
}
