/**
 * Opens one file of an input so that it can be read twice. Pipes are copied to a temporary file.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { closeSync, createReadStream, fstatSync, openSync } from "node:fs";
import process from "node:process";
import { loadFingerprint } from "../batch/journal/fingerprint.ts";
import { InvalidInputError } from "../errors.ts";
import { fileReason } from "../files/reasons.ts";
import { TemporaryFile } from "../files/temporary_file.ts";
import { InputSnapshot } from "./input_snapshot.ts";
import type { InputFile } from "./input_source.ts";

/** What messages call standard input. */
export const STANDARD_INPUT = "standard input";

/** The hint for an input that cannot be used: what a file with the extension of `name` contains. */
export function inputHint(name: string): string {
  const extension = /\.(txt|[ct]sv)(?:\.(?:gz|zst))?$/i.exec(name)?.[1].toLowerCase();
  if (extension === "txt") return "A text file has one prompt per line.";
  if (extension !== undefined) return "A table has a header, and one record per row.";
  return 'An input has one JSON object per line, such as {"q": "What is Python?"}.';
}

function inputProblem(name: string, error: unknown): InvalidInputError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "ENOENT":
      if (name.includes("\ufffd")) break;
      return new InvalidInputError(`the input file ${name} does not exist`, {
        cause: error,
        hint: inputHint(name),
      });
    case "EACCES":
    case "EPERM":
      return new InvalidInputError(`no permission to read ${name}`, {
        cause: error,
        hint: "Change its permissions, or use another file.",
      });
  }
  return new InvalidInputError(`cannot read ${name}: ${fileReason(error)}`, {
    cause: error,
    hint: inputHint(name),
  });
}

/** Copies a stream to a temporary file. */
async function copyStream(name: string, stream: NodeJS.ReadableStream): Promise<InputFile> {
  const file = new TemporaryFile(name);
  try {
    for await (const chunk of stream) file.write(Buffer.from(chunk));
  } catch (error) {
    file.close();
    throw error instanceof InvalidInputError ? error : inputProblem(name, error);
  }
  return { name, fd: file.fd, close: () => file.close() };
}

/**
 * Opens the file at `path`, or standard input if it is `-`.
 *
 * @throws {InvalidInputError} if it does not exist, cannot be read, or is a folder
 */
export async function openFile(path: string): Promise<InputFile> {
  if (path === "-") return await copyStream(STANDARD_INPUT, process.stdin);
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    throw inputProblem(path, error);
  }
  const stats = fstatSync(fd);
  if (stats.isFile()) {
    await loadFingerprint();
    const snapshot = new InputSnapshot(fd, path);
    return {
      name: path,
      fd,
      read: snapshot.read,
      hasGrown: () => snapshot.hasGrown(),
      close: () => closeSync(fd),
    };
  }
  if (stats.isDirectory()) {
    closeSync(fd);
    throw new InvalidInputError(`the input ${path} is a folder, not a file`, {
      hint: `Name its files, or use a quoted pattern: '${path.replace(/\/+$/, "")}/*.jsonl'`,
    });
  }
  return await copyStream(path, createReadStream(path, { fd }));
}
