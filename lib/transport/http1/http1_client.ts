/**
 * Sends requests to servers without TLS, as a `fetch` in HTTP/1.1 would, in a third of its CPU time: it creates no
 * objects of the web's streams and headers unless they are used.
 *
 * @module
 */
import type { DirectRequest } from "../../runtime/dispatch.ts";
import { DispatchedResponse } from "../../runtime/dispatched_response.ts";
import { Origin } from "./origin.ts";
import { lengthOf, linesOf } from "./request_head.ts";

/** A parsed URL. */
interface Target {
  origin: Origin;
  path: string;
  /** The `host` header. */
  host: string;
}

const origins = new Map<string, Origin>();
const targets = new Map<string, Target | undefined>();
/** Maximum number of parsed URLs in the cache. */
const MAX_TARGETS = 1000;

function parseTarget(url: string): Target | undefined {
  const parsed = URL.parse(url);
  if (parsed?.protocol !== "http:" || parsed.username !== "" || parsed.password !== "") {
    return undefined;
  }
  const { host, hostname, port, pathname, search } = parsed;
  let origin = origins.get(host);
  if (origin === undefined) {
    // An IPv6 address without its brackets.
    origin = new Origin(hostname.replace(/^\[(.*)\]$/, "$1"), Number(port || 80));
    origins.set(host, origin);
  }
  return { origin, path: pathname + search, host };
}

/** Forgets all URLs, and the servers without idle connections. */
function forgetTargets(): void {
  targets.clear();
  for (const [host, origin] of origins) {
    if (!origin.hasIdle) origins.delete(host);
  }
}

function targetOf(url: string): Target | undefined {
  let target = targets.get(url);
  if (target === undefined && !targets.has(url)) {
    if (targets.size >= MAX_TARGETS) forgetTargets();
    targets.set(url, target = parseTarget(url));
  }
  return target;
}

const METHOD = /^[A-Z]+$/;

/**
 * Sends a request. Redirects are not followed. Returns `undefined`, and sends nothing, for what this client cannot
 * send as `fetch` would, such as requests with TLS.
 */
export function sendHttp1(
  { url, method, headers, body }: DirectRequest,
  signal?: AbortSignal | null,
): DispatchedResponse | undefined {
  const target = METHOD.test(method) ? targetOf(url) : undefined;
  if (target === undefined) return undefined;
  const lines = linesOf(headers);
  if (lines === null) return undefined;
  const response = new DispatchedResponse(signal);
  if (signal?.aborted) return response;
  const { origin, path, host } = target;
  const length = lengthOf(method, body);
  const size = length === undefined ? "" : `content-length: ${length}\r\n`;
  const head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${lines}${size}\r\n`;
  origin.send(method, body === null ? head : head + body, response);
  return response;
}
