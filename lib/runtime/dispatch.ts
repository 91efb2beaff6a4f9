/**
 * Sends requests on Node without `fetch`, which takes three times as long, through the dispatcher behind it: the
 * same connections, proxies, certificates and instrumentation.
 *
 * Source: undici, "Dispatcher" and "Global Dispatcher". All copies of undici, Node's own included, share the
 * dispatcher under a symbol with the version of its API, for which newer versions provide an adapter.
 *
 * @module
 */
import { DispatchedResponse, type DispatchHandler } from "./dispatched_response.ts";
import { globals } from "./globals.ts";

const DISPATCHER = Symbol.for("undici.globalDispatcher.1");

/** undici's dispatcher, as far as it is used. */
interface Dispatcher {
  dispatch(options: {
    origin: string;
    path: string;
    method: string;
    headers: Record<string, string>;
    body: string | null;
    /** Milliseconds; 0 for none. */
    headersTimeout: number;
    bodyTimeout: number;
    maxRedirections: number;
  }, handler: DispatchHandler): boolean;
}

const shared = globalThis as { [DISPATCHER]?: Dispatcher };
const isNode = globals.Bun === undefined && globals.Deno === undefined;

/** Node's `fetch`, once it has been recognized. */
let ownFetch: typeof fetch | undefined;

/** Whether `fetch` is Node's own, not one that an application or a test has replaced it with. */
function isNodesFetch(): boolean {
  if (fetch === ownFetch) return true;
  if (!String(fetch).includes("internal/deps/undici")) return false;
  ownFetch = fetch;
  return true;
}

/** The headers as `fetch` sends them, one of each name, but without asking for compression, which costs CPU time. */
function sentHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const sent: Record<string, string> = { accept: "*/*", "user-agent": "node" };
  const own = new Set<string>();
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    sent[key] = own.has(key) ? `${sent[key]}, ${value.trim()}` : value.trim();
    own.add(key);
  }
  return sent;
}

/** A request that is sent without `fetch`. */
export interface DirectRequest {
  url: string;
  method: string;
  headers: Readonly<Record<string, string>>;
  body: string | null;
}

/**
 * Sends a request that does not follow redirects. Returns `undefined`, and sends nothing, where only `fetch` can:
 * on other runtimes, if `fetch` has been replaced, and until the first `fetch`, which creates the dispatcher.
 */
export function dispatch(
  { url, method, headers, body }: DirectRequest,
  signal?: AbortSignal | null,
): DispatchedResponse | undefined {
  const dispatcher = isNode ? shared[DISPATCHER] : undefined;
  if (dispatcher === undefined || !isNodesFetch()) return undefined;
  const target = URL.parse(url);
  if (!target?.protocol.startsWith("http") || target.username !== "" || target.password !== "") {
    return undefined;
  }
  const response = new DispatchedResponse(signal);
  if (signal?.aborted) return response;
  const request = {
    origin: target.origin,
    path: target.pathname + target.search,
    method,
    headers: sentHeaders(headers),
    body,
    // The caller decides.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxRedirections: 0,
  };
  try {
    dispatcher.dispatch(request, response);
  } catch (error) {
    // An application's dispatcher may throw.
    response.onError(error);
  }
  return response;
}
