/**
 * Downloads what a URL refers to, for an attachment: images, PDFs and audio as they are, and pages as
 * readable text.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { safeUrl } from "../redact.ts";
import { MAX_BYTES } from "../transport/load_file.ts";
import type { DownloadOptions } from "../transport/download.ts";
import { contentOf, type FileContent } from "./file_content.ts";

/** How to download an attachment. */
export type PageOptions = Pick<DownloadOptions, "allowPrivateUrls" | "fetch" | "signal"> & {
  /**
   * Seconds for the download.
   *
   * @default 60
   */
  timeout?: number;
};

/** A downloaded file. */
export interface WebFile {
  /** The last part of its path, or its host. */
  name: string;
  bytes: Uint8Array;
  content: FileContent;
}

/** Bytes in which HTML declares its encoding (HTML Standard, "determining the character encoding"). */
const META_BYTES = 1024;

function charsetOf(contentType: string, bytes: Uint8Array): string | undefined {
  const declared = /charset\s*=\s*"?([\w-]+)/i;
  const head = Buffer.from(bytes.subarray(0, META_BYTES)).toString("latin1");
  return (declared.exec(contentType) ?? /<meta[^>]+charset\s*=\s*["']?([\w-]+)/i.exec(head))?.[1];
}

function isHtml(contentType: string, text: string): boolean {
  const isDeclared = /^(text\/html|application\/xhtml\+xml)\b/i.test(contentType.trim());
  return isDeclared || (contentType === "" && /^\s*(<!doctype html|<html)\b/i.test(text));
}

/** The readable text of an HTML page: no scripts, no styles, no markup. */
async function readableText(html: string): Promise<string> {
  const { convert } = await import("html-to-text");
  const text = convert(html, {
    baseElements: { selectors: ["main", "article", "body"], orderBy: "selectors" },
    wordwrap: false,
    selectors: [
      { selector: "a", options: { ignoreHref: true } },
      { selector: "img", format: "skip" },
      { selector: "nav", format: "skip" },
      { selector: "table", format: "dataTable", options: { uppercaseHeaderCells: false } },
      ...["h1", "h2", "h3", "h4", "h5", "h6"].map((selector) => ({
        selector,
        options: { uppercase: false },
      })),
    ],
  });
  // A page that consists of a script or a list of links only.
  return text.trim() === "" ? html : `${text.trim()}\n`;
}

function nameOf(url: URL): string {
  const last = url.pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(last) || url.hostname;
  } catch {
    return last;
  }
}

/**
 * Downloads `url`. Its content decides its type; the server's `content-type` tells pages from other text,
 * and gives the encoding.
 *
 * @throws {InvalidInputError} if it cannot be downloaded, is too large, or cannot be attached
 * @throws {AbortedError} when `options.signal` fires
 */
export async function readWebFile(url: string, options: PageOptions = {}): Promise<WebFile> {
  const { downloadFile } = await import("../transport/download.ts");
  const what = safeUrl(url).slice(0, 200);
  const { timeout = 60, ...others } = options;
  const file = await downloadFile(url, { ...others, timeout, what, maxBytes: MAX_BYTES.file });
  const { bytes, contentType } = file;
  const name = nameOf(file.url);
  const content = contentOf(bytes, { what, name, charset: charsetOf(contentType, bytes) });
  if (content.kind !== "text" || !isHtml(contentType, content.text)) {
    return { name, bytes, content };
  }
  const text = await readableText(content.text);
  return { name, bytes, content: { kind: "text", text } };
}
