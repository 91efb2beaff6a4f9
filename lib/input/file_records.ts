/**
 * Opens a batch in which each file is a record: images, PDFs, audio and text.
 *
 * Writes one JSON line for each file to a temporary file, in the form of any other input. Only text is
 * copied; other files are read again when their record is sent, so that memory stays flat. A hash of
 * their content makes a changed file a changed input.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { hashBytes, loadFingerprint } from "../batch/journal/fingerprint.ts";
import type { ContentPart, Message } from "../chat/messages.ts";
import { isContainer } from "../chat/media_type.ts";
import { ConfigurationError, InvalidInputError } from "../errors.ts";
import { fileReason } from "../files/reasons.ts";
import { tooLarge } from "../files/read_local_file.ts";
import { TemporaryFile } from "../files/temporary_file.ts";
import { isPlainBase64, MAX_BYTES } from "../transport/load_file.ts";
import { checkSize, MAX_TEXT, messageOf, textPart } from "./attachment.ts";
import { contentOf, contentOfHead, type FileContent } from "./file_content.ts";
import { listFiles, nameOf } from "./file_list.ts";
import type { InputFile } from "./input_source.ts";
import { NumberedLines } from "./numbered_lines.ts";
import type { Selection } from "./selection.ts";
import { loadTemplate, Template, unknownField } from "./template.ts";

export { isFileRecordInput } from "./file_list.ts";

/** How files become records. Those that the selection leaves out are not read. */
export interface FileRecordOptions extends Selection {
  /** The prompt for each file, or `@` and the path of a file that contains it. */
  template?: string;
  /** The system prompt; with a template, one as well. */
  system?: string;
  /** The result file of the batch, which is not a record. */
  output?: string;
}

/** The fields of a file that templates can use. */
const FIELDS = ["file", "name", "text"];

/** The content of larger files is sampled in four blocks: reading 100,000 photos twice takes too long. */
const BLOCK = 16 * 1024;
const BLOCKS = 4;

/** Formats in which an edit may change a few bytes in the middle and nothing else. */
const UNCOMPRESSED = /^audio\/(wav|aiff)$/;

/** Opening a pipe doesn't wait for a writer. Windows has neither. */
const NONBLOCK = constants.O_NONBLOCK ?? 0;

/** What a record of a file needs. */
interface ReadFile {
  content: FileContent;
  /** Identifies the content of a file that is not text. */
  hash?: string;
}

function readAt(
  fd: number,
  buffer: Buffer,
  start: number,
  length: number,
  position: number,
): number {
  let filled = 0;
  while (filled < length) {
    const read = readSync(fd, buffer, start + filled, length - filled, position + filled);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}

/** Reads files with one buffer for all. */
class FileReader {
  readonly #buffer = Buffer.allocUnsafe(BLOCK * BLOCKS);

  /**
   * Reads what is needed of a file.
   *
   * @throws {InvalidInputError} if it cannot be sent
   */
  read(path: string): ReadFile {
    let fd: number;
    try {
      fd = openSync(path, constants.O_RDONLY | NONBLOCK);
    } catch (cause) {
      throw new InvalidInputError(`cannot read ${path}: ${fileReason(cause)}`, { cause });
    }
    try {
      return this.#readOpen(fd, path);
    } finally {
      closeSync(fd);
    }
  }

  #readOpen(fd: number, path: string): ReadFile {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw new InvalidInputError(`${path} is not a regular file`);
    const { size } = stats;
    const file = { what: path, name: nameOf(path) };
    const sample = this.#sample(fd, size);
    const known = contentOfHead(sample, file);
    if (known === undefined) return this.#readText(fd, size, sample, file);
    checkSize(known.kind, size, path);
    const hashed = size > sample.length && UNCOMPRESSED.test(known.mediaType)
      ? this.#all(fd, size)
      : sample;
    return { content: known, hash: hashOf(size, hashed) };
  }

  /** Text, or an office document, whose name has to be considered. */
  #readText(
    fd: number,
    size: number,
    sample: Buffer,
    file: { what: string; name: string },
  ): ReadFile {
    const isDocument = isContainer(sample);
    // UTF-16 takes twice the space.
    const max = isDocument ? MAX_BYTES.file : 2 * MAX_TEXT;
    if (size > max) throw tooLarge(file.what, size, isDocument ? max : MAX_TEXT);
    const content = contentOf(size <= sample.length ? sample : this.#all(fd, size), file);
    if (content.kind !== "text") {
      checkSize(content.kind, size, file.what);
      return { content, hash: hashOf(size, sample) };
    }
    checkSize("text", Buffer.byteLength(content.text), file.what);
    return { content };
  }

  /** The whole file, or blocks of it: the first one, the last one, and two between them. */
  #sample(fd: number, size: number): Buffer {
    const buffer = this.#buffer;
    if (size <= buffer.length) {
      // Files in /proc report no size.
      return buffer.subarray(0, readAt(fd, buffer, 0, size === 0 ? buffer.length : size, 0));
    }
    for (let i = 0; i < BLOCKS; i++) {
      const position = Math.floor((size - BLOCK) * i / (BLOCKS - 1));
      readAt(fd, buffer, i * BLOCK, BLOCK, position);
    }
    return buffer;
  }

  #all(fd: number, size: number): Buffer {
    const bytes = Buffer.allocUnsafe(size);
    return bytes.subarray(0, readAt(fd, bytes, 0, size, 0));
  }
}

function hashOf(size: number, bytes: Uint8Array): string {
  return `${size}-${hashBytes(bytes).toString(16)}`;
}

/** `path` as a reference that can only be a path. */
function reference(path: string): string {
  return isPlainBase64(path) || /^[a-z][\w+.-]+:/i.test(path) ? `./${path}` : path;
}

/** The part that refers to a file which is read when its record is sent. */
function referencePart(kind: FileContent["kind"], path: string): ContentPart {
  const url = reference(path);
  switch (kind) {
    case "image":
      return { type: "image_url", image_url: { url } };
    case "audio":
      return { type: "input_audio", input_audio: { data: url } };
    default:
      return { type: "file", file: { file_data: url, filename: nameOf(path) } };
  }
}

/** The prompts of a batch of files. */
class FilePrompt {
  readonly #prompt: Template | undefined;
  readonly #system: Template | undefined;
  /** Whether the template contains the text itself. */
  readonly #insertsText: boolean;

  constructor({ template, system }: FileRecordOptions, input: string) {
    if (template === undefined && !system) {
      throw new ConfigurationError(`no prompt for the files of ${input}`, {
        hint: 'Add one, e.g. --template "Describe this."; {{file}} is the path of the file, ' +
          "{{name}} its name, and {{text}} the text of a text file.",
      });
    }
    if (template === undefined) {
      this.#insertsText = false;
      return;
    }
    this.#prompt = loadTemplate(template, { allowsConstant: true });
    this.#system = system === undefined ? undefined : new Template(system, "the system prompt");
    const used = [...this.#prompt.fields, ...this.#system?.fields ?? []];
    const unknown = used.find((field) => !FIELDS.includes(field));
    if (unknown !== undefined) {
      throw new ConfigurationError(unknownField(unknown, "the fields of a file are", FIELDS));
    }
    this.#insertsText = used.includes("text");
  }

  /** The messages of one file. */
  messages(path: string, content: FileContent): Message[] {
    const name = nameOf(path);
    const fields = { file: path, name, text: content.kind === "text" ? content.text : undefined };
    if (this.#insertsText && content.kind !== "text") {
      throw new InvalidInputError(`${path} is not text, but the template uses {{text}}`);
    }
    const attached = content.kind !== "text"
      ? [referencePart(content.kind, path)]
      : this.#insertsText
      ? []
      : [textPart(content.text, name)];
    const [prompt, system] = [this.#prompt, this.#system].map((template) => {
      const rendered = template?.render(fields);
      return rendered !== undefined && "text" in rendered ? rendered.text : "";
    });
    const user = messageOf(prompt, attached);
    return system === "" ? [user] : [{ role: "system", content: system }, user];
  }
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
