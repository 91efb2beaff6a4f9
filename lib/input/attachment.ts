/**
 * Reads files attached to a message: text as text, others as images, audio or documents.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { readdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join, normalize, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isDataUrl, isUrl, loadOnce, MAX_BYTES } from "../transport/load_file.ts";
import { isTextType } from "../chat/media_type.ts";
import type { ContentPart, UserMessage } from "../chat/messages.ts";
import { inCommand } from "../files/foreign_kind.ts";
import { isGlob } from "../files/is_glob.ts";
import { megabytes, readLocalFile, tooLarge } from "../files/read_local_file.ts";
import { safeUrl } from "../redact.ts";
import { InvalidInputError } from "../errors.ts";
import { binaryPart, checkSize, messageOf, textPart } from "./attachment_part.ts";
import { contentOf, type FileContent } from "./file_content.ts";
import type { PageOptions } from "./web_page.ts";

/** Maximum files that one pattern can attach. */
const MAX_FILES = 500;

/** Maximum bytes of the files that one pattern attaches; no provider accepts larger requests. */
const MAX_TOTAL = 100 * 1024 * 1024;

/** A file attached to a message. */
export interface Attachment {
  /** Its name, for display. */
  name: string;
  /** Its size in bytes; 0 for an image at a URL. */
  bytes: number;
  /** The part of the message that contains or links it. */
  part: ContentPart;
}

/** How attachments are read. */
export interface ReadAttachmentOptions extends PageOptions {
  /** What `-` stands for. @default `-` is refused */
  stdin?: AsyncIterable<Uint8Array>;
}

/** Expands `~` at the start of a path to the home folder. */
export function expandPath(path: string): string {
  return path === "~" || path.startsWith("~/") ? homedir() + path.slice(1) : path;
}

/** The attachment with this content; `label` is the name that the model sees of a text. */
function attachmentOf(
  bytes: Uint8Array,
  content: FileContent,
  { what, name, label }: { what: string; name: string; label: string },
): Attachment {
  const size = bytes.length;
  if (content.kind === "text") {
    checkSize("text", Buffer.byteLength(content.text), what);
    return { name: label, bytes: size, part: textPart(content.text, label) };
  }
  checkSize(content.kind, size, what);
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, size).toString("base64");
  return {
    name: label,
    bytes: size,
    part: binaryPart(content.kind, content.mediaType, data, name),
  };
}

/** The error for a folder, with the pattern that attaches its files. */
function folderProblem(path: string): InvalidInputError {
  let count = 0;
  try {
    count = readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.startsWith(".")).length;
  } catch {
    // Then the count is left out.
  }
  const pattern = inCommand(join(path, "*"));
  const files = count === 0 ? "its files" : count === 1 ? "its file" : `its ${count} files`;
  return new InvalidInputError(`cannot read ${path}: it is a folder, not a file`, {
    hint: `Attach ${files} with the pattern ${pattern}. To send one request for each file, use ` +
      "flexllm batch.",
  });
}

/** Reads one file. `label` is the name that the model sees of a text. */
async function readFile(
  path: string,
  label: string,
  { signal }: ReadAttachmentOptions,
): Promise<Attachment> {
  const name = basename(path);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory()) throw folderProblem(path);
  const bytes = await readLocalFile(path, { what: path, max: MAX_BYTES.file, signal });
  return attachmentOf(bytes, contentOf(bytes, { what: path, name }), { what: path, name, label });
}

/** The files that match a pattern, in the order of their paths. */
async function readMatches(
  pattern: string,
  matches: readonly string[],
  options: ReadAttachmentOptions,
): Promise<Attachment[]> {
  const batchHint = "Use a narrower pattern, or send one request for each file: flexllm batch " +
    `${inCommand(pattern)} --template "…" -o out.jsonl`;
  if (matches.length > MAX_FILES) {
    throw new InvalidInputError(
      `${pattern} matches ${matches.length} files, more than the ${MAX_FILES} that can be attached`,
      { hint: batchHint },
    );
  }
  const attachments: Attachment[] = [];
  let total = 0;
  for (const path of matches) {
    const attachment = await readFile(path, normalize(path).replaceAll("\\", "/"), options);
    total += attachment.bytes;
    if (total > MAX_TOTAL) {
      throw new InvalidInputError(
        `the files that match ${pattern} have more than the ${
          megabytes(MAX_TOTAL)
        } that can be sent`,
        { hint: batchHint },
      );
    }
    attachments.push(attachment);
  }
  return attachments;
}

async function readStdin(
  { stdin }: ReadAttachmentOptions,
): Promise<Attachment> {
  if (stdin === undefined) {
    throw new InvalidInputError("- (standard input) cannot be attached here", {
      hint: "Use a file or a URL. For a file named -, write ./-",
    });
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    size += chunk.length;
    if (size > MAX_BYTES.file) throw tooLarge("standard input", undefined, MAX_BYTES.file);
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  const content = contentOf(bytes, { what: "standard input", name: "" });
  const names = { what: "standard input", name: "stdin", label: "stdin" };
  if (content.kind === "file" && content.mediaType === "application/pdf") names.name = "stdin.pdf";
  return attachmentOf(bytes, content, names);
}

async function readUrl(url: string, options: ReadAttachmentOptions): Promise<Attachment> {
  const { readWebFile } = await import("./web_page.ts");
  const { stdin: _, ...download } = options;
  const { bytes, content, name } = await readWebFile(url, download);
  const what = safeUrl(url);
  return attachmentOf(bytes, content, { what, name, label: content.kind === "text" ? what : name });
}

async function readDataUrl(url: string): Promise<Attachment> {
  const { mediaType = "", data } = await loadOnce(url, "file", { timeout: 0 });
  const bytes = Math.floor(data.length * 3 / 4);
  const name = url.slice(0, 80);
  if (isTextType(mediaType)) {
    return { name, bytes, part: { type: "text", text: Buffer.from(data, "base64").toString() } };
  }
  const [start] = mediaType.split("/");
  const kind = start === "image" || start === "audio" ? start : "file";
  return { name, bytes, part: binaryPart(kind, mediaType, data, undefined) };
}

/** The path of a `file:` URL; other references are paths already. */
function pathOf(reference: string): string {
  if (!/^file:/i.test(reference)) return expandPath(reference);
  try {
    return fileURLToPath(reference);
  } catch (cause) {
    throw new InvalidInputError(`${reference} is not a valid file URL`, { cause });
  }
}

/**
 * Reads what a reference attaches to a message: a file, several files that match a pattern (`*.png`,
 * `src/**`), an `http(s)` URL, a data URL, or `-` for standard input. Text is labeled with its name;
 * images, PDFs and other documents, and audio are recognized by their content. Web pages are converted to
 * readable text.
 *
 * @throws {InvalidInputError} if it cannot be read, is empty or too large, or has a type that no model
 *   accepts
 * @throws {AbortedError} when `options.signal` fires
 */
export async function readAttachments(
  reference: string,
  options: ReadAttachmentOptions = {},
): Promise<Attachment[]> {
  if (reference === "-") return [await readStdin(options)];
  if (isUrl(reference)) return [await readUrl(reference, options)];
  if (isDataUrl(reference)) return [await readDataUrl(reference)];
  const path = pathOf(reference);
  if (!isGlob(path)) return [await readFile(path, basename(path), options)];
  const { expandGlob, noMatch } = await import("../files/glob.ts");
  const matches = expandGlob(path);
  if (matches.length === 0) throw noMatch(reference);
  return await readMatches(reference, matches, options);
}

/**
 * Reads one attachment; see {@link readAttachments}.
 *
 * @throws {InvalidInputError} also if the reference is a pattern that matches several files
 */
export async function readAttachment(
  reference: string,
  options: ReadAttachmentOptions = {},
): Promise<Attachment> {
  const attachments = await readAttachments(reference, options);
  if (attachments.length === 1) return attachments[0];
  throw new InvalidInputError(`${reference} matches ${attachments.length} files`, {
    hint: "Attach them one by one.",
  });
}

/**
 * Reads an image to attach: a file, whose content is copied now, or an `http(s)` or data URL.
 *
 * @throws {InvalidInputError} if it cannot be read, is too large, or is not an image
 */
export async function readImageAttachment(path: string): Promise<Attachment> {
  const name = path.slice(0, 80);
  if (isUrl(path)) {
    return { name, bytes: 0, part: { type: "image_url", image_url: { url: path } } };
  }
  const isPath = !/^(data|file):/i.test(path);
  const reference = isPath ? resolve(expandPath(path)) : path;
  const { data, mediaType = "" } = await loadOnce(reference, "image", { timeout: 0 });
  return {
    name: isPath ? basename(path) : name,
    bytes: Math.floor(data.length * 3 / 4),
    part: binaryPart("image", mediaType, data, undefined),
  };
}

/** A message with `text` after its `attachments`; a plain string if all of them are text. */
export function messageWith(text: string, attachments: readonly Attachment[]): UserMessage {
  return messageOf(text, attachments.map(({ part }) => part));
}
