/**
 * What a mock was asked, for tests to look at.
 *
 * @module
 */

/** One request. */
export interface LoggedRequest {
  /** Counted from 1. */
  number: number;
  method: string;
  /** With its query, but for a key in it. */
  path: string;
  /** Without those that hold a key. */
  headers: Record<string, string>;
  body: unknown;
  /** The status of the answer. */
  status: number;
}

/** How many requests are kept; older ones are forgotten. */
const KEPT = 1000;
/** Names of headers and query fields that may hold a key. */
const SECRET = /auth|key|token|secret|password|cookie/i;

/** A request as it is kept: most are never looked at, so no more is made of it than must be. */
interface Kept {
  number: number;
  method: string;
  url: string;
  headers: Headers;
  body: unknown;
  status: number;
}

function toLogged({ url: text, headers, ...rest }: Kept): LoggedRequest {
  const url = new URL(text);
  for (const name of [...url.searchParams.keys()].filter((name) => SECRET.test(name))) {
    url.searchParams.set(name, "removed");
  }
  const shown = [...headers].filter(([name]) => !SECRET.test(name));
  return { ...rest, path: `${url.pathname}${url.search}`, headers: Object.fromEntries(shown) };
}

/** The last requests. */
export class RequestLog {
  /** Up to twice as many as are kept, so that the oldest need not be taken out one by one. */
  #requests: Kept[] = [];
  #count = 0;

  /** The requests, the oldest first. */
  get requests(): LoggedRequest[] {
    return this.#requests.slice(-KEPT).map(toLogged);
  }

  /** Notes a request that was answered. */
  add({ method, url, headers }: Request, body: unknown, status: number): void {
    this.#requests.push({ number: ++this.#count, method, url, headers, body, status });
    if (this.#requests.length >= 2 * KEPT) this.#requests = this.#requests.slice(-KEPT);
  }

  /** Forgets all requests. */
  clear(): void {
    this.#requests = [];
  }
}
