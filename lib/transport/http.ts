/**
 * Sends one encoded request and reads its answer. The only module that calls `fetch`; it knows
 * time limits, cancellation and broken connections, and nothing of what the bodies mean.
 *
 * @module
 */
import { AbortedError, ConnectionError, FlexLLMError, TimeoutError } from "../errors.ts";
import type { EncodedRequest } from "../providers/provider.ts";
import { shownUrl } from "../redact.ts";
import { type Cancellable, cancelledBy } from "./cancellation.ts";
import { type Expiring, type Lane, laneOf } from "./deadlines.ts";
import { readBody } from "./read_body.ts";

/** The web's `fetch`, or a stand-in with the same contract. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** How to send a request. */
export interface SendOptions {
  /** Seconds for the whole exchange. */
  timeout: number;
  signal?: AbortSignal;
}

/** An answer, read to its end. */
export class Answer {
  readonly status: number;
  readonly #response: Response;
  body: string;

  constructor(response: Response, body: string) {
    this.status = response.status;
    this.#response = response;
    this.body = body;
  }

  /** Made by the runtime when they are first read, which most answers can do without. */
  get headers(): Headers {
    return this.#response.headers;
  }
}

/** What the runtime's own network error means, in our words. */
function connectionProblem(error: unknown): string {
  const parts: string[] = [];
  for (let e = error, depth = 0; e instanceof Error && depth < 4; e = e.cause, depth++) {
    parts.push(`${"code" in e ? e.code : ""} ${e.message}`);
  }
  const text = parts.join(" ");
  if (/refused/i.test(text)) return "connection refused";
  if (/ENOTFOUND|EAI_AGAIN|dns error|lookup|FailedToOpenSocket|resolve/i.test(text)) {
    return "the host name cannot be resolved";
  }
  if (/certificate|TLS|SSL|CERT_/i.test(text)) return "the TLS connection failed";
  if (/head is too large|HeadersTooLarge|HeadersOverflow/i.test(text)) {
    return "the headers of the answer are too large";
  }
  if (/InvalidHTTPResponse|Decompression|ZlibError|invalid HTTP|parse/i.test(text)) {
    return "the server's answer is not HTTP";
  }
  if (/reset|ECONNRESET|closed|EOF|hang up|terminated|body|incomplete/i.test(text)) {
    return "the connection was closed before the answer was complete";
  }
  return `the request failed: ${error instanceof Error ? error.message : error}`;
}

/** Takes what may be secret in a URL out of the runtime's words, which `--verbose` shows. */
function hideUrl(error: unknown, url: string, shown: string): void {
  if (url === shown) return;
  for (let e = error, depth = 0; e instanceof Error && depth < 4; e = e.cause, depth++) {
    e.message = e.message.replaceAll(url, shown);
    e.stack = e.stack?.replaceAll(url, shown);
  }
}

/** One exchange with the server: its cancellation, its time limit, and its errors. */
export class Exchange implements Cancellable, Expiring {
  expiresAt = 0;
  readonly #url: string;
  readonly #controller = new AbortController();
  readonly #cancelled: Set<Cancellable> | undefined;
  #lane: Lane | undefined;
  #limit = "";
  /** Why the exchange was ended by us, if it was. */
  #reason: FlexLLMError | undefined;

  constructor(url: string, signal: AbortSignal | undefined) {
    this.#url = url;
    if (signal === undefined) return;
    if (signal.aborted) this.cancel();
    this.#cancelled = cancelledBy(signal);
    this.#cancelled.add(this);
  }

  /** Ends the exchange after `seconds`, unless it is called again or closed before. */
  limit(seconds: number, message: string): void {
    this.#lane?.delete(this);
    this.#lane = laneOf(seconds);
    this.#limit = message;
    this.#lane.add(this);
  }

  expire(): void {
    const { ms } = this.#lane!;
    this.end(new TimeoutError(`${this.#limit} within ${ms / 1000} s`, ms / 1000));
  }

  cancel(): void {
    this.end(new AbortedError());
  }

  /** Cuts the connection; whatever waits for it fails with `reason`. */
  end(reason: FlexLLMError): void {
    this.#reason ??= reason;
    this.#controller.abort(this.#reason);
  }

  /** Sends the request; resolves when the headers of the answer are there. */
  open(request: EncodedRequest, fetch: Fetch): Promise<Response> {
    // A stand-in for fetch may not look at the signal.
    if (this.#reason !== undefined) throw this.#reason;
    const init: RequestInit & { timeout: false } = {
      method: request.body === undefined ? "GET" : "POST",
      headers: request.headers,
      body: request.body,
      // Keys and prompts go to the server that was named, not to where it points.
      redirect: "manual",
      signal: this.#controller.signal,
      // Bun gives up after five minutes of silence unless told not to; our deadlines decide.
      timeout: false,
    };
    return fetch(request.url, init);
  }

  /** The error to throw when the runtime throws `error` during this exchange. */
  error(error: unknown): FlexLLMError {
    if (this.#reason !== undefined) return this.#reason;
    if (error instanceof FlexLLMError) return error;
    const shown = shownUrl(this.#url);
    hideUrl(error, this.#url, shown);
    return new ConnectionError(`${connectionProblem(error)} (${shown})`, { cause: error });
  }

  /** Lets go of the time limit and the signal. */
  close(): void {
    this.#lane?.delete(this);
    this.#cancelled?.delete(this);
  }
}

/**
 * Sends `request` and reads the whole answer, whatever its status.
 *
 * @throws {ConnectionError} when the server cannot be reached or the connection breaks
 * @throws {TimeoutError} when the answer is not complete after `timeout` seconds
 * @throws {MalformedResponseError} when the answer is larger than any should be
 * @throws {AbortedError} when `signal` fires
 */
export async function send(
  request: EncodedRequest,
  fetch: Fetch,
  options: SendOptions,
): Promise<Answer> {
  const exchange = new Exchange(request.url, options.signal);
  try {
    exchange.limit(options.timeout, "no complete answer");
    const response = await exchange.open(request, fetch);
    return new Answer(response, await readBody(response));
  } catch (error) {
    throw exchange.error(error);
  } finally {
    exchange.close();
  }
}
