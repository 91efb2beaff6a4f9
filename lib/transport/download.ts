/**
 * Downloads an attachment that a message refers to by URL.
 *
 * It is a plain GET, without the provider's headers, key or `fetch`, within the call's timeout, and not from
 * the local network unless that is allowed.
 *
 * @module
 */
import { lookup as dnsLookup } from "node:dns/promises";
import { AbortedError, FlexLLMError, InvalidInputError } from "../errors.ts";
import { defaultFetch } from "./default_fetch.ts";
import { abortable } from "../runtime/abortable.ts";
import { readBytes } from "./body_reader.ts";
import { Exchange, type Fetch } from "./http.ts";
import { isPrivateUrl, type Lookup } from "./private_address.ts";

/** Maximum redirects. */
const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Options of a download. */
export interface DownloadOptions {
  /** Describes the resource in error messages. */
  what: string;
  maxBytes: number;
  /** Seconds for the whole download, including redirects. */
  timeout: number;
  signal?: AbortSignal;
  /** Whether hosts of the local network may be contacted. @default false */
  allowPrivateUrls?: boolean;
  /** @default the runtime's `fetch` */
  fetch?: Fetch;
  /** Resolves host names. @default the operating system's resolver */
  lookup?: Lookup;
}

const ALLOW_PRIVATE = "--allow-private-urls, or attachments.allowPrivateUrls in the library";

const lookUp: Lookup = (hostname) => dnsLookup(hostname, { all: true });

function problem(what: string, reason: string, cause?: unknown, hint?: string): InvalidInputError {
  return new InvalidInputError(`cannot download ${what}: ${reason}`, { cause, hint });
}

/** Throws if `url` must not be requested. */
async function checkUrl(url: URL, options: DownloadOptions): Promise<void> {
  const { what, allowPrivateUrls, lookup = lookUp, signal } = options;
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw problem(what, `it redirects to ${url.protocol}, which is neither http: nor https:`);
  }
  if (allowPrivateUrls) return;
  const host = url.hostname;
  let isPrivate: boolean;
  try {
    isPrivate = await abortable(isPrivateUrl(url, lookup), signal);
  } catch (cause) {
    if (cause instanceof AbortedError) throw cause;
    const hint = `Behind a proxy that resolves names, allow all hosts (${ALLOW_PRIVATE}).`;
    throw problem(what, `the host name ${host} could not be resolved`, cause, hint);
  }
  if (isPrivate) {
    const hint = `To allow such hosts, if the messages are your own: ${ALLOW_PRIVATE}.`;
    throw problem(what, `${host} is this machine or in the local network`, undefined, hint);
  }
}

/** A downloaded resource. */
export interface Download {
  bytes: Uint8Array;
  /** The `content-type` header; empty if there is none. */
  contentType: string;
  /** Its URL after redirects. */
  url: URL;
}

async function follow(
  start: URL,
  exchange: Exchange,
  options: DownloadOptions,
): Promise<Download> {
  const { what, maxBytes, fetch = defaultFetch } = options;
  let url = start;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    await checkUrl(url, options);
    const response = await exchange.open({ url: url.href, headers: {} }, fetch);
    const location = response.headers.get("location");
    if (REDIRECTS.has(response.status) && location !== null) {
      response.body?.cancel().catch(() => {});
      const next = URL.parse(location, url);
      if (next === null) throw problem(what, "it redirects to an invalid URL");
      url = next;
      continue;
    }
    if (!response.ok) {
      response.body?.cancel().catch(() => {});
      throw problem(what, `the server answered ${response.status}`);
    }
    const contentType = response.headers.get("content-type") ?? "";
    const bytes = await readBytes(response, maxBytes, (bytes) => bytes.slice());
    if (bytes !== undefined) return { bytes, contentType, url };
    throw problem(
      what,
      `it is larger than the ${(maxBytes / 1024 / 1024).toFixed(1)} MB that can be sent`,
    );
  }
  throw problem(what, `it redirects more than ${MAX_REDIRECTS} times`);
}

/**
 * Downloads the resource at an `http(s)` URL.
 *
 * @throws {InvalidInputError} if it cannot be downloaded, is too large, or is in the local network
 * @throws {AbortedError} when `options.signal` fires
 */
export async function download(url: string, options: DownloadOptions): Promise<Uint8Array> {
  return (await downloadFile(url, options)).bytes;
}

/**
 * Downloads a resource together with what the server says about it; otherwise like {@link download}.
 *
 * @throws {InvalidInputError} if it cannot be downloaded, is too large, or is in the local network
 * @throws {AbortedError} when `options.signal` fires
 */
export async function downloadFile(url: string, options: DownloadOptions): Promise<Download> {
  const parsed = URL.parse(url);
  if (parsed === null) throw problem(options.what, "the URL is not valid");
  const exchange = new Exchange(parsed.href, options.signal);
  try {
    exchange.limit(options.timeout, "no complete answer");
    return await follow(parsed, exchange, options);
  } catch (cause) {
    if (cause instanceof InvalidInputError) throw cause;
    const error = exchange.error(cause);
    if (error instanceof AbortedError) throw error;
    throw problem(
      options.what,
      error instanceof FlexLLMError ? error.message : String(error),
      cause,
    );
  } finally {
    exchange.close();
  }
}
