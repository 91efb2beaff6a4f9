/**
 * An HTTP request as it arrives, before anything of it is checked.
 *
 * @module
 */
import type { FlexLLMError } from "../../errors.ts";
import { clientLeft } from "../end_reasons.ts";

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";

function randomText(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join("");
}

/** Tells the calls of different processes apart; a counter tells apart those of one. */
const PROCESS_ID = randomText(12);
let arrivals = 0;

const NO_QUERY = new URLSearchParams();

/** Where the path and the query of `url` are: it has a scheme and a host. */
function pathStart(url: string): number {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  return start < 0 ? url.length : start;
}

/** An HTTP request and when it arrived. */
export class Arrival {
  /** Letters and digits, unique. */
  readonly id: string;
  readonly request: Request;
  /** By `performance.now()`. */
  readonly startedAt: number;
  /** The path as the runtime passes it on (Bun and Node resolve `..`): it is compared, never resolved further. */
  readonly path: string;
  /** The connection, as the runtime's server describes it. */
  readonly connection: unknown;
  readonly #search: string;
  #query: URLSearchParams | undefined;
  #controller: AbortController | undefined;

  constructor(request: Request, connection: unknown) {
    this.startedAt = performance.now();
    this.id = PROCESS_ID + (++arrivals).toString(36);
    this.request = request;
    this.connection = connection;
    const { url } = request;
    const start = pathStart(url);
    let end = url.indexOf("#", start);
    if (end < 0) end = url.length;
    const query = url.indexOf("?", start);
    const pathEnd = query < 0 || query > end ? end : query;
    this.path = url.slice(start, pathEnd) || "/";
    this.#search = url.slice(pathEnd + 1, end);
  }

  /** The query. */
  get query(): URLSearchParams {
    return this.#query ??= this.#search === "" ? NO_QUERY : new URLSearchParams(this.#search);
  }

  get #abortController(): AbortController {
    if (this.#controller !== undefined) return this.#controller;
    const controller = this.#controller = new AbortController();
    const { signal } = this.request;
    if (signal.aborted) this.abort();
    else signal.addEventListener("abort", () => this.abort(), { once: true });
    return controller;
  }

  /** Aborts when the client leaves, or by {@link Arrival.abort}. */
  get signal(): AbortSignal {
    return this.#abortController.signal;
  }

  /** Ends the request. Only the first reason counts. */
  abort(reason: FlexLLMError = clientLeft()): void {
    this.#abortController.abort(reason);
  }
}
