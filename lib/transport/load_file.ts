/**
 * Loads attachments by local path, URL, data URL or plain base64, and detects their types.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { InvalidInputError } from "../errors.ts";
import { safeUrl } from "../redact.ts";
import type { Fetch } from "./http.ts";
import { IMAGE_TYPES, mediaTypeOf, sniff } from "../chat/media_type.ts";
import { readLocalFile, tooLarge } from "../files/read_local_file.ts";

/** The kind of an attachment. */
export type AttachmentKind = "image" | "file" | "audio";

const MB = 1024 * 1024;

/**
 * Maximum bytes of one attachment. Providers limit whole requests, some to less: Anthropic to 32 MB
 * ("PDF support"), Google to 20 MB of inline data for older models ("Audio understanding"), OpenAI to
 * 50 MB of files ("File inputs").
 */
export const MAX_BYTES: Readonly<Record<AttachmentKind, number>> = {
  image: 20 * MB,
  file: 32 * MB,
  audio: 20 * MB,
};

/** Options for loading attachments. */
export interface AttachmentOptions {
  /**
   * Whether messages can attach files from URLs on this machine and the local network. Set it to `true` only
   * for messages that you trust.
   *
   * @default false
   */
  allowPrivateUrls?: boolean;
  /**
   * Whether messages can attach local files. Set it to `false` if messages come from others, who could
   * otherwise attach any file that your program can read.
   *
   * @default true
   */
  allowLocalFiles?: boolean;
  /**
   * Downloads attachments. It gets neither the provider's API key nor its headers.
   *
   * @default the runtime's `fetch`
   */
  fetch?: Fetch;
}

/** The context of a call's attachments, shared by its endpoints so that nothing is loaded twice. */
export interface AttachmentSource {
  /** Seconds for one download. */
  timeout: number;
  signal?: AbortSignal;
  attachments?: AttachmentOptions;
  /** The files loaded so far; created on first use. */
  loaded?: LoadedFiles;
}

/** Attachments by kind and reference. */
export type LoadedFiles = Map<string, Promise<LoadedFile>>;

/** A file, ready to be sent. */
export interface LoadedFile {
  /** `undefined` only for audio in an unknown format. */
  mediaType: string | undefined;
  /** Base64. */
  data: string;
  /** The last part of its path or URL. */
  name?: string;
}

/** Whether a reference is an `http(s)` URL. */
export function isUrl(reference: string): boolean {
  return /^https?:/i.test(reference);
}

/** Whether a reference is a data URL. */
export function isDataUrl(reference: string): boolean {
  return /^data:/i.test(reference);
}

/** How many characters of a long text to check for base64. */
const SAMPLE = 512;

/** Whether a reference can only be base64: neither a URL nor a path with a dot in it. */
export function isPlainBase64(reference: string): boolean {
  return reference.length > SAMPLE
    ? /^[A-Za-z0-9+/]+$/.test(reference.slice(0, SAMPLE))
    : /^[A-Za-z0-9+/]+={0,2}$/.test(reference);
}

/** Maximum base64 characters of one attachment. */
export function maxBase64(kind: AttachmentKind): number {
  return Math.ceil(MAX_BYTES[kind] / 3) * 4;
}

/** Describes a reference in error messages, without data, passwords and queries. */
function describe(reference: string, kind: AttachmentKind): string {
  const noun = `the ${kind}`;
  if (isDataUrl(reference) || isPlainBase64(reference) && reference.length > 100) {
    return `${noun} in the message`;
  }
  const shown = isUrl(reference) ? safeUrl(reference.slice(0, 2000)) : reference;
  return `${noun} ${shown.length > 200 ? `${shown.slice(0, 197)}...` : shown}`;
}

const EXPECTED: Readonly<Record<AttachmentKind, [problem: string, hint: string]>> = {
  image: ["is neither PNG, JPEG, GIF nor WebP", "Convert it to one of these."],
  file: ["is of an unknown type", "Use a PDF, text in UTF-8 or an office document."],
  audio: ["is of an unknown format", 'Set its format: {"data": …, "format": "wav"}.'],
};

/** The error for an attachment of unknown type. */
export function unknownType(reference: string, kind: AttachmentKind): InvalidInputError {
  const [problem, hint] = EXPECTED[kind];
  return new InvalidInputError(`${describe(reference, kind)} ${problem}`, { hint });
}

function identify(
  bytes: Uint8Array,
  kind: AttachmentKind,
  reference: string,
  name: string,
): LoadedFile {
  const mediaType = kind === "file" ? mediaTypeOf(bytes, name) : sniff(bytes);
  const isKnown = kind === "image"
    ? IMAGE_TYPES.includes(mediaType ?? "")
    : mediaType !== undefined;
  if (!isKnown && kind !== "audio") throw unknownType(reference, kind);
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
  return { mediaType, data, name: name === "" ? undefined : name };
}

/** The first bytes of base64, enough to detect its type. */
function startOf(base64: string): Uint8Array {
  return Buffer.from(base64.slice(0, 64), "base64");
}

function checkBase64(base64: string, kind: AttachmentKind, reference: string): void {
  if (base64.length <= maxBase64(kind)) return;
  throw tooLarge(describe(reference, kind), Math.floor(base64.length * 3 / 4), MAX_BYTES[kind]);
}

/** Types that are unspecific, or that providers do not know by this name. */
const VAGUE = /^(|application\/octet-stream|binary\/octet-stream|image\/jpg)$/;

/** Source: RFC 2397. */
const DATA_URL = /^data:([^;,]*)((?:;[^;,]*)*),/i;

function fromDataUrl(reference: string, kind: AttachmentKind): LoadedFile {
  const match = DATA_URL.exec(reference.slice(0, 1000));
  if (match === null) {
    throw new InvalidInputError(`${describe(reference, kind)}: the data URL has no data`, {
      hint: "Write it as data:application/pdf;base64,…",
    });
  }
  const [header, type, parameters] = match;
  let data = reference.slice(header.length);
  if (/;\s*base64$/i.test(parameters)) {
    if (/[\s%]/.test(data)) data = decodePercent(data, reference, kind).replace(/\s+/g, "");
    checkBase64(data, kind, reference);
  } else {
    data = Buffer.from(decodePercent(data, reference, kind)).toString("base64");
    checkBase64(data, kind, reference);
  }
  // RFC 2397: the default type is plain text.
  const declared = type.toLowerCase();
  const mediaType = VAGUE.test(declared) ? sniff(startOf(data)) : declared;
  if (mediaType !== undefined || kind === "audio") return { mediaType, data };
  if (declared === "" && kind === "file") return { mediaType: "text/plain", data };
  throw unknownType(reference, kind);
}

function decodePercent(text: string, reference: string, kind: AttachmentKind): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new InvalidInputError(`${describe(reference, kind)}: the data URL is not valid`, {
      cause,
    });
  }
}

/** Loads plain base64; `undefined` if the reference may be a path. */
function fromBase64(reference: string, kind: AttachmentKind): LoadedFile | undefined {
  const isWrapped = /^[A-Za-z0-9+/]{16,}\r?\n/.test(reference.slice(0, SAMPLE));
  const data = isWrapped ? reference.replace(/[\r\n]+/g, "") : reference;
  if (!isPlainBase64(data)) return undefined;
  const mediaType = sniff(startOf(data));
  // Paths are shorter than 4096 characters.
  if (mediaType === undefined && (kind !== "audio" || data.length < 4096)) return undefined;
  checkBase64(data, kind, reference);
  return { mediaType, data };
}

function nameOfUrl(url: string): string {
  const last = URL.parse(url)?.pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

function pathOf(reference: string, what: string): string {
  if (/^file:/i.test(reference)) {
    try {
      return fileURLToPath(reference);
    } catch (cause) {
      throw new InvalidInputError(`cannot read ${what}: the file URL is not valid`, { cause });
    }
  }
  // A single letter is a Windows drive, not a scheme.
  const scheme = /^([a-z][\w+.-]{1,30}):\/\//i.exec(reference)?.[1];
  if (scheme === undefined) return reference;
  throw new InvalidInputError(`cannot read ${what}: the URL scheme ${scheme}: is not supported`, {
    hint: "Use a local file, an http(s) URL or a data URL.",
  });
}

/** Loads one attachment; see {@link loadOnce}. */
async function load(
  reference: string,
  kind: AttachmentKind,
  { signal, timeout, attachments }: AttachmentSource,
): Promise<LoadedFile> {
  if (isDataUrl(reference)) return fromDataUrl(reference, kind);
  const what = describe(reference, kind);
  const maxBytes = MAX_BYTES[kind];
  if (isUrl(reference)) {
    const { download } = await import("./download.ts");
    const bytes = await download(reference, { ...attachments, what, maxBytes, timeout, signal });
    return identify(bytes, kind, reference, nameOfUrl(reference));
  }
  const inline = fromBase64(reference, kind);
  if (inline !== undefined) return inline;
  const path = pathOf(reference, what);
  if (attachments?.allowLocalFiles === false) {
    throw new InvalidInputError(`cannot read ${what}: local files are not allowed here`, {
      hint: "Use an http(s) URL or a data URL, or set attachments.allowLocalFiles.",
    });
  }
  return identify(
    await readLocalFile(path, { what, max: maxBytes, signal }),
    kind,
    reference,
    basename(path),
  );
}

/**
 * Loads an attachment; each only once per source.
 *
 * @throws {InvalidInputError} when it cannot be loaded, is too large or of unknown type
 * @throws {AbortedError} when the source's signal fires
 */
export function loadOnce(
  reference: string,
  kind: AttachmentKind,
  source: AttachmentSource,
): Promise<LoadedFile> {
  const loaded = source.loaded ??= new Map();
  const key = `${kind} ${reference}`;
  let file = loaded.get(key);
  if (file === undefined) loaded.set(key, file = load(reference, kind, source));
  return file;
}
