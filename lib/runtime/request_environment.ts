/**
 * Detects settings that only the runtime's `fetch` honors.
 *
 * @module
 */
import process from "node:process";
import { globals } from "./globals.ts";

/** Proxies for requests without TLS, and Deno's own tracing of requests. */
const VARIABLES = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "OTEL_DENO"];

/** Whether the program may read a variable without a permission prompt. */
function isReadable(variable: string): boolean {
  const permissions = globals.Deno?.permissions;
  return permissions === undefined ||
    permissions.querySync({ name: "env", variable }).state === "granted";
}

/** Whether a proxy or Deno's tracing may be set for requests without TLS: an unreadable variable counts as set. */
export function needsRuntimeFetch(): boolean {
  return VARIABLES.some((name) => !isReadable(name) || (process.env[name] ?? "") !== "");
}

const loadedFetch = globalThis.fetch;
/** How the source of a runtime's own `fetch` starts. */
const OWN =
  /^function fetch\((?:\)\s*\{\s*\[native code\]|\.\.\.\w+\)\s*\{\s*return lazyFetch\(\))/;
const wasOwn = OWN.test(String(loadedFetch));

/** Whether `fetch` is the runtime's own on Deno or Bun, not one that an application or a test has replaced it with. */
export function isFetchOwn(): boolean {
  return wasOwn && globalThis.fetch === loadedFetch;
}
