/**
 * Detects the media type of a file: by its first bytes, or by its name if these are inconclusive.
 *
 * @module
 */
// deno-lint-ignore-file no-control-regex -- files start with control characters
import { Buffer, isUtf8 } from "node:buffer";

/** The image formats that every provider accepts. */
export const IMAGE_TYPES: readonly string[] = [
  "image/png",
  "image/jpeg",
  "image/gif",
  "image/webp",
];

/** The first bytes of files, as Latin-1. MP3 and AAC without a tag start with a frame header. */
const SIGNATURES: readonly (readonly [mediaType: string, begins: RegExp])[] = [
  ["image/png", /^\x89PNG\r\n\x1a\n/],
  ["image/jpeg", /^\xff\xd8\xff/],
  ["image/gif", /^GIF8[79]a/],
  ["image/webp", /^RIFF.{4}WEBP/s],
  ["application/pdf", /^(\xef\xbb\xbf)?\s*%PDF-/],
  ["audio/wav", /^(RIFF|RF64).{4}WAVE/s],
  ["audio/flac", /^fLaC/],
  ["audio/ogg", /^OggS/],
  ["audio/aiff", /^FORM.{4}AIF[FC]/s],
  ["audio/mpeg", /^(ID3([\0-\x0f]|$)|\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x10-\xeb])/],
  ["audio/aac", /^\xff[\xf0\xf1\xf8\xf9]/],
  ["audio/mp4", /^.{4}ftypM4[AB] /s],
  ["video/quicktime", /^.{4}ftypqt {2}/s],
  ["image/heic", /^.{4}ftyp(hei[cx]|mif1)/s],
  ["image/avif", /^.{4}ftypavi[fs]/s],
  ["video/mp4", /^.{4}ftyp/s],
  ["video/webm", /^\x1a\x45\xdf\xa3/],
  ["image/tiff", /^(II\*\0|MM\0\*)/],
  // Two letters alone could start a text: the size of the next header is one of a few.
  ["image/bmp", /^BM.{4}\0{4}.{4}[\x0c\x28\x40\x6c\x7c]\0{3}/s],
  ["image/x-icon", /^\x00\x00\x01\x00[^\0]\x00/],
  ["image/jxl", /^\0\0\0\x0cJXL /],
  ["image/vnd.adobe.photoshop", /^8BPS\x00\x01/],
];

const OFFICE = "application/vnd.openxmlformats-officedocument";

/** Types that only the name reveals: text formats and office documents. */
const BY_EXTENSION: Readonly<Record<string, string>> = {
  css: "text/css",
  csv: "text/csv",
  html: "text/html",
  htm: "text/html",
  js: "text/javascript",
  json: "application/json",
  md: "text/markdown",
  odt: "application/vnd.oasis.opendocument.text",
  rtf: "text/rtf",
  tsv: "text/tab-separated-values",
  xml: "text/xml",
  doc: "application/msword",
  docx: `${OFFICE}.wordprocessingml.document`,
  ppt: "application/vnd.ms-powerpoint",
  pptx: `${OFFICE}.presentationml.presentation`,
  xls: "application/vnd.ms-excel",
  xlsx: `${OFFICE}.spreadsheetml.sheet`,
};

/** The containers of office documents: ZIP archives and Microsoft's compound files. */
const OFFICE_START = /^(PK\x03\x04|\xd0\xcf\x11\xe0)/;

/** The number of bytes needed to detect a type. */
const SIGNATURE_BYTES = 32;

/** Detects the media type from a file's first bytes; `undefined` if it is unknown. */
export function sniff(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, SIGNATURE_BYTES))
    .toString("latin1");
  return SIGNATURES.find(([, begins]) => begins.test(start))?.[0];
}

/** Whether a file is a ZIP archive or a compound file, as office documents are. */
export function isContainer(bytes: Uint8Array): boolean {
  return OFFICE_START.test(Buffer.from(bytes.subarray(0, 4)).toString("latin1"));
}

/**
 * The media type of a file with the given content and name; `undefined` for text that is not UTF-8 and
 * for unknown binary formats.
 */
export function mediaTypeOf(bytes: Uint8Array, name: string): string | undefined {
  const known = sniff(bytes);
  if (known !== undefined) return known;
  const byName = BY_EXTENSION[/\.(\w+)$/.exec(name)?.[1].toLowerCase() ?? ""];
  if (isContainer(bytes)) return byName?.startsWith("application/") ? byName : undefined;
  if (!isUtf8(bytes) || bytes.includes(0)) return undefined;
  return byName ?? "text/plain";
}

/** Whether files of this media type are text. */
export function isTextType(mediaType: string): boolean {
  return /^text\/|^application\/(.+\+)?(json|jsonl|x-ndjson|xml|yaml|x-yaml|toml)$/.test(mediaType);
}

/** The `input_audio.format` of each media type. */
const AUDIO_FORMATS: Readonly<Record<string, string>> = {
  "audio/mpeg": "mp3",
  "audio/mp4": "m4a",
  "audio/opus": "ogg",
  "audio/wave": "wav",
  // A container without video is audio.
  "video/mp4": "m4a",
  "video/webm": "webm",
};

/** The `format` of audio of this media type: `wav`, `mp3`, `flac`, …; `undefined` for other types. */
export function audioFormatOf(mediaType: string): string | undefined {
  return AUDIO_FORMATS[mediaType] ?? /^audio\/(?:x-)?(\w+)$/.exec(mediaType)?.[1];
}
