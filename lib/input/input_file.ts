/**
 * The input of a batch as a file that can be read more than once: it is checked as a whole before
 * anything is sent. Pipes are copied to a temporary file first.
 *
 * @module
 */
import {
  closeSync,
  createReadStream,
  createWriteStream,
  fstatSync,
  mkdtempSync,
  rmSync,
} from "node:fs";
import { openSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pipeline } from "node:stream/promises";
import { InvalidInputError } from "../errors.ts";

/** An open input. */
export interface InputFile {
  /** What to call it in messages. */
  name: string;
  fd: number;
  close(): void;
}

function inputProblem(name: string, error: unknown): InvalidInputError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "ENOENT":
      return new InvalidInputError(`the input file ${name} does not exist`, { cause: error });
    case "EACCES":
    case "EPERM":
      return new InvalidInputError(`no permission to read ${name}`, { cause: error });
    default: {
      const text = error instanceof Error ? error.message : String(error);
      return new InvalidInputError(`cannot read ${name}: ${text}`, { cause: error });
    }
  }
}

async function spool(name: string, stream: NodeJS.ReadableStream): Promise<InputFile> {
  const folder = mkdtempSync(join(tmpdir(), "flexllm-"));
  try {
    const path = join(folder, "input.jsonl");
    await pipeline(stream, createWriteStream(path, { mode: 0o600 }));
    const fd = openSync(path, "r");
    return {
      name,
      fd,
      close() {
        closeSync(fd);
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw inputProblem(name, error);
  }
}

/**
 * Opens the file at `path`, or standard input when there is none.
 *
 * @throws {InvalidInputError} when it is not there, not readable, or a folder
 */
export async function openInput(path: string | undefined): Promise<InputFile> {
  if (path === undefined || path === "-") return await spool("standard input", process.stdin);
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    throw inputProblem(path, error);
  }
  const stats = fstatSync(fd);
  if (stats.isFile()) return { name: path, fd, close: () => closeSync(fd) };
  closeSync(fd);
  if (stats.isDirectory()) {
    throw new InvalidInputError(`the input ${path} is a folder, not a file`, {
      hint: "Name one JSONL file, or pipe several: cat folder/*.jsonl | flexllm batch -o …",
    });
  }
  return await spool(path, createReadStream(path));
}
