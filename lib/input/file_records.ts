/**
 * Opens a batch in which each file is a record: images, PDFs, audio and text.
 *
 * Writes one JSON line for each file to a temporary file, in the form of any other input. Only text is
 * copied; other files are read again when their record is sent, so that memory stays flat. A hash of
 * their content makes a changed file a changed input.
 *
 * @module
 */
import { loadFingerprint } from "../batch/journal/fingerprint.ts";
import { InvalidInputError } from "../errors.ts";
import { TemporaryFile } from "../files/temporary_file.ts";
import { listFiles } from "./file_list.ts";
import { FilePrompt, type FilePromptOptions } from "./file_prompt.ts";
import { FileReader } from "./file_reader.ts";
import type { InputFile } from "./input_source.ts";
import { NumberedLines } from "./numbered_lines.ts";
import type { Selection } from "./selection.ts";

export { isFileRecordInput } from "./file_list.ts";

/** How files become records. Those that the selection leaves out are not read. */
export interface FileRecordOptions extends FilePromptOptions, Selection {
  /** The result file of the batch, which is not a record. */
  output?: string;
}

/** The name of an input that consists of `paths`. */
function inputName(paths: readonly string[]): string {
  return paths.length === 1 ? paths[0] : `${paths[0]} and ${paths.length - 1} more`;
}

/** The line of a file that is not selected. It is not parsed, but has an index. */
const UNREAD = "0";

/**
 * The lines of the files, up to the next one of the shard after those that the limit selects: the reader
 * must not take the last record for the end of the input.
 */
function* linesOf(
  files: readonly string[],
  prompt: FilePrompt,
  { limit = Infinity, shard, retryFailed }: Selection,
): Generator<string, void, void> {
  const reader = new FileReader();
  // Which records failed before is known only later.
  let missing = retryFailed === undefined ? limit : Infinity;
  for (const [index, path] of files.entries()) {
    if (missing === 0) {
      const next = Math.min(files.length - index, shard?.count ?? 1);
      for (let i = 0; i < next; i++) yield UNREAD;
      return;
    }
    const isSelected = shard === undefined || index % shard.count === shard.index;
    const line = isSelected ? lineOf(path, reader, prompt) : UNREAD;
    if (line.startsWith("{")) missing--;
    yield line;
  }
}

/** The line of one file: a record, or a string that says why there is none. */
function lineOf(path: string, reader: FileReader, prompt: FilePrompt): string {
  try {
    const { content, hash } = reader.read(path);
    const messages = prompt.messages(path, content);
    return JSON.stringify({ messages, file: path, content_hash: hash });
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    const { message, hint } = error;
    return JSON.stringify(hint === undefined ? message : `${message}. ${hint}`);
  }
}

/**
 * Opens the files that `paths` refer to: files, folders and patterns. Each is one record, in the order of
 * their paths.
 *
 * @throws {InvalidInputError} if a path does not exist, a folder is empty, or nothing matches a pattern
 * @throws {ConfigurationError} if there is no prompt, or its template is invalid
 */
export async function openFileRecords(
  paths: readonly string[],
  options: FileRecordOptions = {},
): Promise<InputFile> {
  const name = inputName(paths);
  const files = listFiles(paths, options.output);
  const prompt = new FilePrompt(options, name);
  await loadFingerprint();
  const file = new TemporaryFile(name);
  try {
    const lines = new NumberedLines(file);
    let number = 1;
    for (const line of linesOf(files, prompt, options)) lines.write(number++, line);
    lines.flush();
  } catch (error) {
    file.close();
    throw error;
  }
  return { name, fd: file.fd, isFiles: true, close: () => file.close() };
}
