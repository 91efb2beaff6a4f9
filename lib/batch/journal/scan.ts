/**
 * Reads a result file when it is opened, and repairs its end after a crash.
 *
 * @module
 */
import { ftruncateSync, writeSync } from "node:fs";
import { JournalError } from "../../errors.ts";
import { foreignKind } from "../../files/foreign_kind.ts";
import { readAt } from "./append_file.ts";
import type { JournalContents } from "./contents.ts";
import { ExistingLine } from "./existing_line.ts";
import { JournalLineScanner } from "./line_scanner.ts";
import type { JournalFile } from "./open_file.ts";
import { readResultLines } from "./read_results.ts";

function checkFormat({ fd, name }: JournalFile): void {
  const kind = foreignKind(readAt(fd, 0, 8), name);
  if (kind === undefined) return;
  throw new JournalError(`the output ${name} is ${kind.what}`, {
    hint: `Choose another output file. ${kind.hint}`,
  });
}

/**
 * Adds the file's lines to `contents`. Returns the end of its last whole line.
 *
 * A torn last line is removed, and a missing last newline is added, unless the file is open for
 * reading only.
 *
 * @throws {JournalError} at the first line that is not a result
 */
export function scan(file: JournalFile, contents: JournalContents): number {
  const { fd, name, lock } = file;
  checkFormat(file);
  const scanner = new JournalLineScanner();
  const existing = new ExistingLine();
  const lines = readResultLines(fd);
  let step = lines.next();
  for (; !step.done; step = lines.next()) {
    const line = step.value;
    const { offset, number } = line;
    const isScanned = line.valid && scanner.scan(line.bytes, line.start, line.end, existing);
    const record = isScanned ? undefined : line.parse();
    if (typeof record !== "string") {
      if (record !== undefined) existing.setFrom(record);
      contents.addExisting(existing, offset, line.length);
      continue;
    }
    if (!line.isTorn) {
      throw new JournalError(`${name}:${number} is not a result of flexllm: ${record}`, {
        hint: "Choose another output file, or remove that line.",
      });
    }
    if (lock !== undefined) ftruncateSync(fd, offset);
    return offset;
  }
  const { size, isEnded } = step.value;
  return isEnded || lock === undefined ? size : size + writeSync(fd, "\n");
}
