/** A folder that is removed at the end of the test. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TemporaryFolder extends Disposable {
  path: string;
  /** The path of a file in it. */
  file(name: string): string;
  write(name: string, content: string): string;
  read(name: string): string;
}

/** Where Linux has files in memory. */
const MEMORY = "/dev/shm";

/** Creates the folder on disk. */
export function temporaryFolder(): TemporaryFolder {
  return folderIn(tmpdir());
}

/**
 * Creates the folder in memory where the system can: for tests that write and sync small files thousands of times,
 * which on a disk is most of their time.
 */
export function memoryFolder(): TemporaryFolder {
  return folderIn(existsSync(MEMORY) ? MEMORY : tmpdir());
}

function folderIn(parent: string): TemporaryFolder {
  const path = mkdtempSync(join(parent, "flexllm-test-"));
  const file = (name: string) => join(path, name);
  return {
    path,
    file,
    write(name, content) {
      writeFileSync(file(name), content);
      return file(name);
    },
    read: (name) => readFileSync(file(name), "utf8"),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Parses JSONL. */
// deno-lint-ignore no-explicit-any
export function jsonLines(text: string): any[] {
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}
