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

/** The last requests. */
export class RequestLog {
  #requests: LoggedRequest[] = [];
  #count = 0;

  /** The requests, the oldest first. */
  get requests(): readonly LoggedRequest[] {
    return this.#requests;
  }

  /** Notes a request that was answered. */
  add(request: Request, body: unknown, status: number): void {
    const url = new URL(request.url);
    for (const name of [...url.searchParams.keys()].filter((name) => SECRET.test(name))) {
      url.searchParams.set(name, "removed");
    }
    const headers = [...request.headers].filter(([name]) => !SECRET.test(name));
    this.#requests.push({
      number: ++this.#count,
      method: request.method,
      path: `${url.pathname}${url.search}`,
      headers: Object.fromEntries(headers),
      body,
      status,
    });
    if (this.#requests.length > KEPT) this.#requests.shift();
  }

  /** Forgets all requests. */
  clear(): void {
    this.#requests = [];
  }
}
