/**
 * The input of a batch as a file that can be read more than once: it is checked as a whole before
 * anything is sent. Pipes are copied to a temporary file first.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  closeSync,
  createReadStream,
  fstatSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
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

/**
 * A new file that only this process knows: its name goes away at once, so that nothing is left however
 * the process ends. Where an open file cannot be removed, it is removed when it is closed.
 */
function anonymousFile(): { fd: number; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "flexllm-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const fd = openSync(join(folder, "input.jsonl"), "wx+", 0o600);
    try {
      remove();
    } catch {
      // Windows.
    }
    return { fd, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Copies what a pipe gives to a file that can be read more than once. */
async function spool(name: string, stream: NodeJS.ReadableStream): Promise<InputFile> {
  let file: { fd: number; remove: () => void } | undefined;
  try {
    file = anonymousFile();
    const { fd, remove } = file;
    for await (const chunk of stream) {
      const bytes = Buffer.from(chunk);
      for (let written = 0; written < bytes.length;) {
        written += writeSync(fd, bytes, written);
      }
    }
    return {
      name,
      fd,
      close() {
        closeSync(fd);
        remove();
      },
    };
  } catch (error) {
    if (file !== undefined) closeSync(file.fd);
    const text = error instanceof Error ? error.message : String(error);
    throw new InvalidInputError(
      `cannot copy ${name} to the folder for temporary files, ${tmpdir()}: ${text}`,
      { cause: error, hint: "Make room there, set TMPDIR to another folder, or name a file." },
    );
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
  if (stats.isDirectory()) {
    closeSync(fd);
    throw new InvalidInputError(`the input ${path} is a folder, not a file`, {
      hint: "Name one JSONL file, or pipe several: cat folder/*.jsonl | flexllm batch -o …",
    });
  }
  return await spool(path, createReadStream(path, { fd }));
}
