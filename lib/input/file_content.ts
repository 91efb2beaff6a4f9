/**
 * Determines what a file is: text, an image, audio or a document. Its content decides, then its name.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { foreignKind, inCommand } from "../files/foreign_kind.ts";
import { InvalidInputError } from "../errors.ts";
import { IMAGE_TYPES, isContainer, mediaTypeOf, sniff } from "../chat/media_type.ts";
import type { AttachmentKind } from "../transport/load_file.ts";
import { decodeText, likelyEncoding } from "./text_decoding.ts";

/** Binary data of a type that can be sent. */
export interface BinaryContent {
  kind: AttachmentKind;
  mediaType: string;
}

/** The content of a file. */
export type FileContent = { kind: "text"; text: string } | BinaryContent;

/** What is known about a file besides its bytes. */
export interface FileDescription {
  /** What messages call it. */
  what: string;
  /** Its name, whose extension counts where the bytes are inconclusive. */
  name: string;
  /** The declared encoding of its text. */
  charset?: string;
}

/** Image formats that only some models or none accept, by the last part of their media type. */
const OTHER_IMAGES: Readonly<Record<string, string>> = {
  avif: "an AVIF image",
  bmp: "a BMP image",
  heic: "a HEIC photo",
  jxl: "a JPEG XL image",
  tiff: "a TIFF image",
  "vnd.adobe.photoshop": "a Photoshop file",
  "x-icon": "an icon",
};

/** Archives and programs, by their first bytes in Latin-1. */
const ARCHIVES: readonly [start: string, what: string, hint: string][] = [
  ["PK\x03\x04", "a ZIP archive", "Unpack it and attach the files in it."],
  ["\xd0\xcf\x11\xe0", "an Office document of an unknown kind", "Save it as PDF."],
  ["7z\xbc\xaf", "a 7-Zip archive", "Unpack it and attach the files in it."],
  ["Rar!", "a RAR archive", "Unpack it and attach the files in it."],
  ["BZh", "compressed with bzip2", "Unpack it first: bunzip2 -k IN"],
  ["\xfd7zXZ", "compressed with xz", "Unpack it first: unxz -k IN"],
  ["\x7fELF", "a program", "Attach its source text."],
  ["SQLite format 3", "an SQLite database", "Export what you need as text: sqlite3 IN .dump"],
];

function refuse(problem: string, hint: string): InvalidInputError {
  return new InvalidInputError(problem, { hint });
}

/** The name of a file as an argument in a command that a hint shows. */
function argument({ what }: FileDescription): string {
  return /^https?:/i.test(what) ? "FILE" : inCommand(what);
}

/** `file` with another extension, for a hint. */
function converted(file: FileDescription, extension: string): string {
  return argument(file).replace(/(\.\w+)?('?)$/, `.${extension}$2`);
}

/** The content of a file whose first bytes identify it; `undefined` if all of it is needed. */
export function contentOfHead(
  head: Uint8Array,
  file: FileDescription,
): BinaryContent | undefined {
  const mediaType = sniff(head);
  if (mediaType === undefined) return undefined;
  if (IMAGE_TYPES.includes(mediaType)) return { kind: "image", mediaType };
  if (mediaType.startsWith("image/")) {
    const what = OTHER_IMAGES[mediaType.slice("image/".length)] ?? "an image of another format";
    const jpeg = `magick ${argument(file)} ${converted(file, "jpg")}`;
    const hint = `Use PNG, JPEG, GIF or WebP. Convert it with ImageMagick: ${jpeg}`;
    throw refuse(`${file.what} is ${what}, which models don't accept`, hint);
  }
  if (mediaType.startsWith("audio/")) return { kind: "audio", mediaType };
  // Their containers are the same; M4A files often carry the mark of a video.
  if (/\.(m4a|m4b)$/i.test(file.name)) return { kind: "audio", mediaType: "audio/mp4" };
  return { kind: "file", mediaType };
}

/** The error for a file that is neither text nor of a known type. */
function unusable(bytes: Uint8Array, file: FileDescription): InvalidInputError {
  const { what } = file;
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 16));
  const archive = ARCHIVES.find(([signature]) => start.toString("latin1").startsWith(signature));
  if (archive !== undefined) {
    return refuse(`${what} is ${archive[1]}`, archive[2].replace("IN", () => argument(file)));
  }
  const encoding = likelyEncoding(bytes);
  if (encoding !== undefined) {
    const intro = encoding === "latin1" ? "Convert it, if it is Latin-1" : "Convert it";
    const utf8 = converted(file, "utf8.txt");
    return refuse(
      `${what} is not text in UTF-8`,
      `${intro}: iconv -f ${encoding} -t utf-8 ${argument(file)} > ${utf8}`,
    );
  }
  const foreign = foreignKind(start, argument(file));
  if (foreign !== undefined) return refuse(`${what} is ${foreign.what}`, foreign.hint);
  return refuse(
    `${what} is not text (UTF-8), an image, a PDF or audio`,
    "Images can be PNG, JPEG, GIF or WebP; convert other files to text or PDF first.",
  );
}

/**
 * The content of a file with these `bytes`.
 *
 * @throws {InvalidInputError} if it is empty or of a type that no model accepts; the hint says how to
 *   convert it
 */
export function contentOf(bytes: Uint8Array, file: FileDescription): FileContent {
  if (bytes.length === 0) throw new InvalidInputError(`${file.what} is empty`);
  const known = contentOfHead(bytes, file);
  if (known !== undefined) return known;
  if (isContainer(bytes)) {
    const mediaType = mediaTypeOf(bytes, file.name);
    if (mediaType !== undefined) return { kind: "file", mediaType };
    throw unusable(bytes, file);
  }
  const text = decodeText(bytes, file.charset);
  if (text === undefined) throw unusable(bytes, file);
  if (text.trim() !== "") return { kind: "text", text };
  throw new InvalidInputError(`${file.what} contains only white space`);
}
