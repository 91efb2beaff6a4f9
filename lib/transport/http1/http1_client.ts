/**
 * Sends requests to servers without TLS, as a `fetch` in HTTP/1.1 would, in a third of its CPU time: it creates no
 * objects of the web's streams and headers unless they are used.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { DirectRequest } from "../../runtime/dispatch.ts";
import { DispatchedResponse } from "../../runtime/dispatched_response.ts";
import { afterEvents } from "../../runtime/next_turn.ts";
import { runtimeName } from "../../runtime/runtime.ts";
import { Connection, type Destination } from "./connection.ts";

/** A request that waits for a connection. */
interface Waiting {
  origin: Origin;
  method: string;
  /** The head and the body. */
  text: string;
  response: DispatchedResponse;
}

let waiting: Waiting[] = [];

/** Reused connections after which a server is known not to close them silently after its answers. */
const PROVEN = 100;
/** Milliseconds after an answer in which a close counts as silent. */
const SILENT = 1000;
/** Milliseconds for which a connection of such a server is used again at once. */
const RECENT = 10;

/** A server, and its idle connections. */
class Origin implements Destination {
  isReached = false;
  /** Connections that were kept since one was closed silently. */
  #reuses = 0;
  readonly #idle: Connection[] = [];

  constructor(readonly host: string, readonly port: number) {}

  /**
   * Sends a request on the idle connection that was used last, or on a new one. Some servers close connections without
   * saying so in their answer. Until a server has proven that it does not, and if a connection has been idle for a
   * while, the request waits for events that show whether it has just been closed.
   */
  send(method: string, text: string, response: DispatchedResponse): void {
    const last = this.#idle[this.#idle.length - 1];
    const isSafe = last === undefined ||
      (this.#reuses >= PROVEN && last.idleFor(performance.now()) < RECENT);
    if (isSafe) return this.take().send(method, text, response);
    if (waiting.length === 0) afterEvents(sendWaiting);
    waiting.push({ origin: this, method, text, response });
  }

  /** Takes a connection that is idle, or a new one. */
  take(): Connection {
    const now = performance.now();
    for (let next = this.#idle.pop(); next !== undefined; next = this.#idle.pop()) {
      if (next.isUsable(now)) return next;
      next.expire();
    }
    return new Connection(this);
  }

  release(connection: Connection): void {
    this.#idle.push(connection);
    this.#reuses++;
  }

  closedAfter(idle: number): void {
    if (idle < SILENT) this.#reuses = 0;
  }

  get hasIdle(): boolean {
    return this.#idle.length > 0;
  }

  remove(connection: Connection): void {
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}

function sendWaiting(): void {
  const requests = waiting;
  waiting = [];
  for (const { origin, method, text, response } of requests) {
    if (response.isOver) continue;
    try {
      origin.take().send(method, text, response);
    } catch (error) {
      // One failure must not affect the others.
      response.onError(error);
    }
  }
}

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
const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
/** Other characters are for `fetch`, which knows their encoding or rejects them. */
const VALUE = /^[\t\x20-\x7e]*$/;
/** The header by which the runtime's `fetch` introduces itself. */
const USER_AGENT = `user-agent: ${runtimeName().replace(" ", "/")}\r\n`;
/** Headers that belong to the connection. */
const OWN: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** The lines of headers by their object, which most requests to a server share; `null` if one is not plain. */
const knownLines = new WeakMap<object, string | null>();

function linesOf(headers: Readonly<Record<string, string>>): string | null {
  let lines = knownLines.get(headers);
  if (lines === undefined) knownLines.set(headers, lines = headerLines(headers));
  return lines;
}

function headerLines(headers: Readonly<Record<string, string>>): string | null {
  const names = new Set<string>();
  let lines = "";
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    if (!NAME.test(name) || !VALUE.test(value) || OWN.has(key) || names.has(key)) return null;
    names.add(key);
    lines += `${key}: ${value.trim()}\r\n`;
  }
  if (!names.has("accept")) lines += "accept: */*\r\n";
  return names.has("user-agent") ? lines : lines + USER_AGENT;
}

/** The `content-length`: 0 for a POST without a body, as `fetch` sends it. */
function lengthOf(method: string, body: string | null): number | undefined {
  if (body !== null) return Buffer.byteLength(body);
  return method === "POST" || method === "PUT" ? 0 : undefined;
}

/**
 * Sends a request. Redirects are not followed. Returns `undefined`, and sends nothing, for what this client cannot
 * send as `fetch` would, such as requests with TLS.
 */
export function sendHttp1(
  { url, method, headers, body }: DirectRequest,
  signal?: AbortSignal | null,
): DispatchedResponse | undefined {
  const target = METHOD.test(method) ? targetOf(url) : undefined;
  const lines = target && linesOf(headers);
  if (target === undefined || lines === undefined || lines === null) return undefined;
  const response = new DispatchedResponse(signal);
  if (signal?.aborted) return response;
  const { origin, path, host } = target;
  const length = lengthOf(method, body);
  const size = length === undefined ? "" : `content-length: ${length}\r\n`;
  const head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${lines}${size}\r\n`;
  origin.send(method, body === null ? head : head + body, response);
  return response;
}
