/**
 * Finds the provider and the path that a request to the mock is for: `/groq/openai/v1/batches` is
 * `/v1/batches` of Groq.
 *
 * @module
 */
import { BATCH_VENDORS, type BatchVendor } from "./batch_options.ts";

/** Where a request is for. */
export interface MockPath {
  /** The provider that the path names; `undefined` if it names none. */
  vendor?: BatchVendor;
  /** The path after the prefix of the provider, such as `/v1/batches`. */
  path: string;
}

const VENDOR = new RegExp(`^/(${BATCH_VENDORS.join("|")})(?=/)`);
/** What providers put before the version: OpenRouter, Azure and Groq, Fireworks. */
const BASES: readonly [prefix: RegExp, vendor: BatchVendor | undefined][] = [
  [/^\/api(?=\/(v1|beta)\/)/, "openrouter"],
  [/^\/openai(?=\/)/, undefined],
  [/^\/inference(?=\/v1\/)/, "fireworks"],
];

/** Splits the path of a URL. */
export function mockPath(pathname: string): MockPath {
  let path = pathname;
  let vendor: BatchVendor | undefined;
  // "/openai" alone is the base of Azure and Groq.
  const named = VENDOR.exec(path)?.[1] as BatchVendor | undefined;
  if (named !== undefined && named !== "openai") {
    vendor = named;
    path = path.slice(named.length + 1);
  }
  for (const [prefix, usual] of BASES) {
    const [found] = prefix.exec(path) ?? [];
    if (found === undefined) continue;
    path = path.slice(found.length);
    vendor ??= usual;
  }
  return { vendor, path };
}

/** The path after the prefix of the provider, for routers. */
export function routedPath(request: Request): string {
  const { url } = request;
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const end = url.slice(start).search(/[?#]/);
  const path = start < 0 ? "/" : end < 0 ? url.slice(start) : url.slice(start, start + end);
  const routed = mockPath(path).path;
  try {
    return routed.includes("%") ? decodeURI(routed) : routed;
  } catch {
    return routed;
  }
}
