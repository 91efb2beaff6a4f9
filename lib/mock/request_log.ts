/**
 * The most recent requests to a mock, for tests to look at.
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
  /** The body; if it was too long, its long strings or its text are truncated. */
  body: unknown;
  /** The length of the body in characters, if it was truncated. */
  cut?: number;
  /** The status of the answer. */
  status: number;
}

/** Maximum number of requests; older ones are dropped. */
const MAX_REQUESTS = 1000;
/** Maximum total characters of bodies. */
const MAX_TOTAL = 32 * 1024 * 1024;
/** Maximum characters of one body. */
const MAX_BODY = 1024 * 1024;
/** Maximum characters of a string in a truncated body, such as an image. */
const MAX_STRING = 1024;
/** Names of headers and query fields that may hold a key. */
const SECRET = /auth|key|token|secret|password|cookie/i;

/** A request as it is stored: most are never read, so work is deferred until then. */
interface Entry {
  number: number;
  method: string;
  url: string;
  headers: Headers;
  text: string;
  cut?: number;
  status: number;
}

function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit)}… (${text.length - limit} more characters)`;
}

/** A body of bounded length: truncates its long strings, and if that is not enough, its text. */
function shortened(text: string): string {
  let short = text;
  try {
    short = JSON.stringify(
      JSON.parse(text),
      (_, value) => typeof value === "string" ? shorten(value, MAX_STRING) : value,
    );
  } catch {
    // If it is not JSON, or nested too deeply, its text is truncated.
  }
  return short.length <= MAX_BODY ? short : JSON.stringify(shorten(text, MAX_STRING));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text === "" ? null : text;
  }
}

function toLogged({ url: address, headers, text, ...rest }: Entry): LoggedRequest {
  const url = new URL(address);
  for (const name of [...url.searchParams.keys()].filter((name) => SECRET.test(name))) {
    url.searchParams.set(name, "removed");
  }
  const shown = [...headers].filter(([name]) => !SECRET.test(name));
  return {
    ...rest,
    path: `${url.pathname}${url.search}`,
    headers: Object.fromEntries(shown),
    body: parsed(text),
  };
}

/** The most recent requests, at most 1,000 of them and 32 million characters of bodies. */
export class RequestLog {
  /** Oldest first; those before `#first` are dropped, and removed many at a time. */
  #requests: Entry[] = [];
  #first = 0;
  #characters = 0;
  #count = 0;

  /** The requests, oldest first. */
  get requests(): LoggedRequest[] {
    return this.#requests.slice(this.#first).map(toLogged);
  }

  /** Adds a request that was answered. */
  add({ method, url, headers }: Request, body: string, status: number): void {
    const isLong = body.length > MAX_BODY;
    const text = isLong ? shortened(body) : body;
    const cut = isLong ? { cut: body.length } : {};
    this.#requests.push({ number: ++this.#count, method, url, headers, text, ...cut, status });
    this.#characters += text.length;
    while (this.#characters > MAX_TOTAL || this.#requests.length - this.#first > MAX_REQUESTS) {
      this.#characters -= this.#requests[this.#first].text.length;
      // Release the text of dropped requests.
      this.#requests[this.#first++].text = "";
    }
    if (this.#first < MAX_REQUESTS) return;
    this.#requests = this.#requests.slice(this.#first);
    this.#first = 0;
  }

  /** Drops all requests. */
  clear(): void {
    this.#requests = [];
    this.#first = 0;
    this.#characters = 0;
  }
}
