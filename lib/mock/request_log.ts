/**
 * Logs the most recent requests to the mock, for tests to inspect.
 *
 * @module
 */
import { isSecretHeader, shownPath } from "./secrets.ts";

/** One request. */
export interface LoggedRequest {
  /** Counted from 1. */
  number: number;
  method: string;
  /** With the query; keys in it are removed. */
  path: string;
  /** Without headers that contain keys. */
  headers: Record<string, string>;
  /** The body. Above 1,048,576 characters, its strings or its text are truncated. */
  body: unknown;
  /** The original length of a truncated body, in characters. */
  cut?: number;
  /** The status of the response. */
  status: number;
}

/** Maximum number of requests. */
const MAX_REQUESTS = 1000;
/** Maximum total characters of bodies. */
const MAX_TOTAL = 32 * 1024 * 1024;
/** Maximum characters of one body. */
const MAX_BODY = 1024 * 1024;
/** Maximum characters of a string in a truncated body, such as an image. */
const MAX_STRING = 1024;

/** A stored request. Most are never read, so parsing is deferred until then. */
interface Entry {
  number: number;
  method: string;
  url: string;
  headers: Headers;
  text: string;
  cut?: number;
  status: number;
}

function truncate(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit)}… (${text.length - limit} more characters)`;
}

/** Truncates the strings in a body, or its text if that is not enough. */
function truncatedBody(text: string): string {
  let short = text;
  try {
    short = JSON.stringify(
      JSON.parse(text),
      (_, value) => typeof value === "string" ? truncate(value, MAX_STRING) : value,
    );
  } catch {
    // Not JSON, or nested too deeply: truncate the text.
  }
  return short.length <= MAX_BODY ? short : JSON.stringify(truncate(text, MAX_STRING));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text === "" ? null : text;
  }
}

function toLogged({ url: address, headers, text, ...rest }: Entry): LoggedRequest {
  const shown = [...headers].filter(([name]) => !isSecretHeader(name));
  return {
    ...rest,
    path: shownPath(new URL(address)),
    headers: Object.fromEntries(shown),
    body: parsed(text),
  };
}

/** The most recent requests: at most 1,000, with 32 Mi characters of bodies. */
export class RequestLog {
  /** Oldest first. Those before `#first` are dropped, and removed in bulk. */
  #requests: Entry[] = [];
  #first = 0;
  #characters = 0;
  #count = 0;

  /** The requests, oldest first. */
  get requests(): LoggedRequest[] {
    return this.#requests.slice(this.#first).map(toLogged);
  }

  /** Logs a request and the status of its response. */
  add({ method, url, headers }: Request, body: string, status: number): void {
    const isLong = body.length > MAX_BODY;
    const text = isLong ? truncatedBody(body) : body;
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
