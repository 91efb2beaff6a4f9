/**
 * Opens result files for reading: plain, compressed, standard input, or still being written.
 *
 * @module
 */
import { fstatSync, readSync } from "node:fs";
import { Buffer } from "node:buffer";
import { foreignKind } from "../files/foreign_kind.ts";
import { InvalidInputError } from "../errors.ts";
import { expandPaths } from "../input/input_paths.ts";
import { compressionOf, decompress } from "../input/decompress.ts";
import { openFile } from "../input/open_file.ts";

/** An open result file. */
export interface ResultSource {
  /** Its name, for messages. */
  name: string;
  fd: number;
  /** Its size when it was opened. Lines that a batch appends later are ignored. */
  size: number;
  /** Closes it, and removes it if it is temporary. */
  close(): void;
}

const HINT = "Name a file that a batch wrote with -o.";

/** An error about a file that is not a result file. */
export function notResults(message: string, hint = HINT): InvalidInputError {
  return new InvalidInputError(message, { hint });
}

async function openOne(path: string): Promise<ResultSource> {
  let file = await openFile(path);
  try {
    let head = headOf(file.fd);
    const compression = compressionOf(head);
    if (compression !== undefined) {
      file = await decompress(file, compression);
      head = headOf(file.fd);
    }
    const kind = foreignKind(head, file.name);
    if (kind !== undefined) throw notResults(`${file.name} is ${kind.what}, not a result file`);
    const { name, fd } = file;
    return { name, fd, size: fstatSync(fd).size, close: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

function headOf(fd: number): Buffer {
  const head = Buffer.alloc(8);
  return head.subarray(0, readSync(fd, head, 0, 8, 0));
}

/**
 * Opens the result files at `paths`: paths, `-` for standard input, folders and patterns.
 *
 * @throws {InvalidInputError} if one cannot be read, is damaged, or has another format
 */
export async function openResults(paths: readonly string[]): Promise<ResultSource[]> {
  const sources: ResultSource[] = [];
  try {
    for (const path of await expandPaths(paths)) sources.push(await openOne(path));
    return sources;
  } catch (error) {
    for (const source of sources) source.close();
    if (!(error instanceof InvalidInputError)) throw error;
    throw new InvalidInputError(error.message.replace(/^the input file/, "the result file"), {
      cause: error.cause,
      hint: HINT,
    });
  }
}
