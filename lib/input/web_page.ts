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

/** A node of a page, as html-to-text passes it to formatters. */
interface PageNode {
  type: string;
  next: PageNode | null;
  children: PageNode[];
}

/** Builds the text of a page. */
interface TextBuilder {
  addInline(text: string): void;
}

/** Elements that are not read: navigation, controls, and what is drawn or run. */
const SKIPPED = ["nav", "img", "svg", "button", "textarea", "select", "template", "noscript"];

/** Where the content of a page is, the first that has text. */
const CONTENT: readonly (readonly string[])[] = [["main", "[role=main]"], ["article"], ["body"]];

/** Options of html-to-text for text that a model reads: no links, no padding, no markup. */
const TEXT_OPTIONS = {
  // No page needs more; deeper ones would exhaust the stack.
  limits: { maxDepth: 500, ellipsis: "" },
  wordwrap: false,
  formatters: {
    // Aligned columns would be mostly spaces, since many old pages are one large table.
    cell(
      element: PageNode,
      walk: (nodes: PageNode[], builder: TextBuilder) => void,
      builder: TextBuilder,
    ) {
      walk(element.children, builder);
      let next = element.next;
      while (next !== null && next.type !== "tag") next = next.next;
      if (next !== null) builder.addInline(" | ");
    },
  },
  selectors: [
    { selector: "a", options: { ignoreHref: true } },
    { selector: "table", format: "block" },
    { selector: "tr", format: "block", options: { leadingLineBreaks: 1, trailingLineBreaks: 1 } },
    ...["td", "th"].map((selector) => ({ selector, format: "cell" })),
    ...["h1", "h2", "h3", "h4", "h5", "h6"].map((selector) => ({
      selector,
      options: { uppercase: false },
    })),
    ...SKIPPED.map((selector) => ({ selector, format: "skip" })),
  ],
};

/** The readable text of an HTML page; its source if it has none, as a page that a script fills in. */
async function readableText(html: string): Promise<string> {
  const { convert } = await import("html-to-text");
  for (const selectors of CONTENT) {
    const baseElements = { selectors: [...selectors], returnDomByDefault: selectors[0] === "body" };
    const text = convert(html, { ...TEXT_OPTIONS, baseElements }).trim();
    if (text !== "") return `${text}\n`;
  }
  return html;
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
