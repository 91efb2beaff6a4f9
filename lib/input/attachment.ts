/**
 * Files that go with a message: text as text, images as images.
 *
 * @module
 */
import { type Buffer, isUtf8 } from "node:buffer";
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, resolve } from "node:path";
import { readImages } from "../chat/images.ts";
import type { ContentPart, ImagePart, UserMessage } from "../chat/messages.ts";
import { InvalidInputError } from "../errors.ts";
import { fileReason } from "../file_reason.ts";

/** The most bytes of a text; more than any model reads. */
const MAX_TEXT = 4 * 1024 * 1024;

/** The same for an image; providers refuse larger ones. */
const MAX_IMAGE = 20 * 1024 * 1024;

/** A file that goes with a message. */
export interface Attachment {
  /** What to call it. */
  name: string;
  /** Its size; 0 for an image at a URL. */
  bytes: number;
  part: ContentPart;
}

/** The path that a person means: `~` is the home folder. */
export function expandPath(path: string): string {
  return path === "~" || path.startsWith("~/") ? homedir() + path.slice(1) : path;
}

function readBytes(path: string): Buffer {
  let fd: number;
  try {
    fd = openSync(expandPath(path), "r");
  } catch (cause) {
    throw new InvalidInputError(`cannot read ${path}: ${fileReason(cause)}`, {
      cause,
      hint: "Name a text file or an image.",
    });
  }
  try {
    const stats = fstatSync(fd);
    if (stats.isDirectory()) throw new InvalidInputError(`${path} is a folder, not a file`);
    if (stats.size > MAX_IMAGE) throw tooLarge(path, stats.size, MAX_IMAGE);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

function tooLarge(path: string, size: number, limit: number): InvalidInputError {
  const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MB`;
  return new InvalidInputError(
    `${path} has ${megabytes(size)}, more than the ${megabytes(limit)} that can be sent`,
  );
}

function isImage(bytes: Buffer): boolean {
  const start = bytes.subarray(0, 12).toString("latin1");
  return /^(\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP)/s.test(start);
}

/**
 * Reads an image to attach: a file, which is taken in as it is now, or an `http(s)` or data URL.
 *
 * @throws {InvalidInputError} when it cannot be read, is too large, or of no known type
 */
export async function readImageAttachment(path: string): Promise<Attachment> {
  const url = /^(https?|data|file):/i.test(path) ? path : resolve(expandPath(path));
  const bytes = url === path ? 0 : readBytes(path).length;
  const message: UserMessage = {
    role: "user",
    content: [{ type: "image_url", image_url: { url } }],
  };
  const [read] = await readImages([message], { inlineUrls: false, fetch });
  const [part] = read.content as ImagePart[];
  return { name: url === path ? url.slice(0, 80) : basename(path), bytes, part };
}

/**
 * Reads a file to attach: text, with its name above it, or an image.
 *
 * @throws {InvalidInputError} when it cannot be read, is too large, or neither text nor image
 */
export async function readAttachment(path: string): Promise<Attachment> {
  if (path.startsWith("data:") || /^https?:/i.test(path)) return await readImageAttachment(path);
  const bytes = readBytes(path);
  if (isImage(bytes)) return await readImageAttachment(path);
  if (!isUtf8(bytes) || bytes.includes(0)) {
    throw new InvalidInputError(`${path} is neither text (UTF-8) nor an image`, {
      hint: "Images can be PNG, JPEG, GIF or WebP; convert other files to text first.",
    });
  }
  if (bytes.length > MAX_TEXT) throw tooLarge(path, bytes.length, MAX_TEXT);
  const name = basename(path);
  const content = bytes.toString("utf8").replace(/^\uFEFF/, "");
  const text = `<file name=${JSON.stringify(name)}>\n${content.replace(/\n?$/, "\n")}</file>`;
  return { name, bytes: bytes.length, part: { type: "text", text } };
}

/** The message that says `text` with `attachments` before it; plain text when all of them are. */
export function messageWith(text: string, attachments: readonly Attachment[]): UserMessage {
  const said: ContentPart[] = text === "" ? [] : [{ type: "text", text }];
  const parts = [...attachments.map(({ part }) => part), ...said];
  const texts = parts.flatMap((part) => part.type === "text" ? [part.text] : []);
  if (texts.length === parts.length) return { role: "user", content: texts.join("\n\n") };
  return { role: "user", content: parts };
}
