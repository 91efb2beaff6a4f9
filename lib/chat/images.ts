/**
 * Images that have to be read before they can be sent: local files everywhere, and remote ones for
 * providers that take no URLs.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { readFile, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { InvalidInputError } from "../errors.ts";
import { readWhole } from "../transport/body_reader.ts";
import type { ContentPart, ImagePart, Message } from "./messages.ts";
import { fileReason } from "../file_reason.ts";

/** The most bytes of one image; providers refuse larger ones. */
const MAX_BYTES = 20 * 1024 * 1024;

/** The formats that all providers take, and how their files begin, as Latin-1. */
const SIGNATURES: readonly [mediaType: string, begins: (start: string) => boolean][] = [
  ["image/png", (start) => start.startsWith("\x89PNG\r\n\x1a\n")],
  ["image/jpeg", (start) => start.startsWith("\xff\xd8\xff")],
  ["image/gif", (start) => /^GIF8[79]a/.test(start)],
  ["image/webp", (start) => start.startsWith("RIFF") && start.slice(8, 12) === "WEBP"],
];

/** How images are read. */
export interface ImageOptions {
  /** Whether images at `http(s)` URLs are fetched and sent inline, too. */
  inlineUrls: boolean;
  /** What fetches them. */
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  signal?: AbortSignal;
}

function isRemote(url: string): boolean {
  return /^https?:/i.test(url);
}

function mustBeRead(url: string, inlineUrls: boolean): boolean {
  return !/^data:/i.test(url) && (inlineUrls || !isRemote(url));
}

/** Whether a message has an image that {@link readImages} would read. */
export function hasImagesToRead(messages: readonly Message[], inlineUrls: boolean): boolean {
  return messages.some(({ role, content }) =>
    role === "user" && typeof content !== "string" &&
    content.some((part) => part.type === "image_url" && mustBeRead(part.image_url.url, inlineUrls))
  );
}

function encode(bytes: Uint8Array, url: string): string {
  if (bytes.length > MAX_BYTES) {
    throw new InvalidInputError(
      `the image ${url} has ${bytes.length} bytes, more than the ${MAX_BYTES} that can be sent`,
    );
  }
  const start = Buffer.from(bytes.subarray(0, 16)).toString("latin1");
  const mediaType = SIGNATURES.find(([, begins]) => begins(start))?.[0];
  if (mediaType === undefined) {
    throw new InvalidInputError(`the image ${url} is neither PNG, JPEG, GIF nor WebP`);
  }
  return `data:${mediaType};base64,${Buffer.from(bytes).toString("base64")}`;
}

async function readLocal(url: string): Promise<Uint8Array> {
  const path = url.startsWith("file:") ? fileURLToPath(url) : url;
  try {
    const { size } = await stat(path);
    // Not read at all when it is too large; its size tells already.
    if (size > MAX_BYTES) return new Uint8Array(size > 2 ** 31 ? MAX_BYTES + 1 : size);
    return await readFile(path);
  } catch (cause) {
    throw new InvalidInputError(`cannot read the image ${url}: ${fileReason(cause)}`, {
      cause,
      hint: "Give an existing file, an http(s) URL or a data URL.",
    });
  }
}

async function readRemote(url: string, { fetch, signal }: ImageOptions): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (cause) {
    throw new InvalidInputError(`cannot fetch the image ${url}`, { cause });
  }
  if (!response.ok) {
    throw new InvalidInputError(
      `cannot fetch the image ${url}: its server answered ${response.status}`,
    );
  }
  if (response.body === null) return new Uint8Array();
  const bytes = await readWhole(response.body, MAX_BYTES, (bytes) => bytes.slice());
  if (bytes !== undefined) return bytes;
  throw new InvalidInputError(
    `the image ${url} has more than the ${MAX_BYTES} bytes that can be sent`,
  );
}

async function readPart(part: ContentPart, options: ImageOptions): Promise<ContentPart> {
  if (part.type !== "image_url" || !mustBeRead(part.image_url.url, options.inlineUrls)) return part;
  const { url } = part.image_url;
  const bytes = isRemote(url) ? await readRemote(url, options) : await readLocal(url);
  const read: ImagePart = { ...part, image_url: { ...part.image_url, url: encode(bytes, url) } };
  return read;
}

/**
 * Gives the messages with the images that must be read as data URLs; the messages given are not
 * changed.
 *
 * @throws {InvalidInputError} when one cannot be read, is too large, or of no known type
 */
export function readImages(
  messages: readonly Message[],
  options: ImageOptions,
): Promise<Message[]> {
  return Promise.all(messages.map(async (message) => {
    if (message.role !== "user" || typeof message.content === "string") return message;
    const content = await Promise.all(message.content.map((part) => readPart(part, options)));
    return { ...message, content };
  }));
}
