/**
 * Sends one encoded request and reads its answer. The only module that calls `fetch`; it knows
 * time limits, cancellation and broken connections, and nothing of what the bodies mean.
 *
 * @module
 */
import { abortedBy, ConnectionError, FlexLLMError, TimeoutError } from "../errors.ts";
import type { EncodedRequest } from "./request.ts";
import { shownUrl } from "../redact.ts";
import { defaultFetch } from "../runtime/runtime.ts";
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

/** A response whose body has been read. */
export interface BufferedResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

class ReadResponse implements BufferedResponse {
  readonly status: number;
  readonly #response: Response;
  readonly body: string;

  constructor(response: Response, body: string) {
    this.status = response.status;
    this.#response = response;
    this.body = body;
  }

  /** Lazy: the runtime creates them on first access, and most responses don't need them. */
  get headers(): Headers {
    return this.#response.headers;
  }
}

/** What the runtimes' network errors mean, in our words, and what can be done. */
const PROBLEMS: readonly (readonly [sign: RegExp, problem: string, hint?: string])[] = [
  [
    /EMFILE|ENFILE|too many open files/i,
    "too many open files",
    "Raise the limit (ulimit -n), or lower the concurrency (-c).",
  ],
  [
    /refused/i,
    "connection refused",
    "Check that the server is running, and the base URL with its port.",
  ],
  [
    /ENOTFOUND|EAI_AGAIN|dns error|lookup|FailedToOpenSocket|resolve/i,
    "the host name cannot be resolved",
    "Check the base URL and the network.",
  ],
  [
    /certificate|TLS|SSL|CERT_/i,
    "the TLS connection failed",
    "Name a certificate authority of your own with NODE_EXTRA_CA_CERTS=file.pem; without TLS, the base URL begins with http://.",
  ],
  [/head is too large|HeadersTooLarge|HeadersOverflow/i, "the headers of the answer are too large"],
  [
    /ETIMEDOUT|E(HOST|NET)UNREACH|unreachable/i,
    "the server is unreachable",
    "Check the base URL, the network and the proxy.",
  ],
  [/EADDRNOTAVAIL/, "no local port is free for the connection", "Lower the concurrency (-c)."],
  [
    /InvalidHTTPResponse|Malformed_HTTP|Decompression|ZlibError|invalid HTTP|parse/i,
    "the server's answer is not HTTP",
    "Check the base URL with its port, and whether it is http or https.",
  ],
  [
    /reset|ECONNRESET|closed|EOF|hang up|terminated|body|incomplete/i,
    "the connection was closed before the answer was complete",
  ],
];

/** Problems that occur before anything reaches the server. */
const UNSENT: ReadonlySet<string> = new Set([
  "too many open files",
  "connection refused",
  "the host name cannot be resolved",
  "the TLS connection failed",
  "no local port is free for the connection",
]);

/** Advice for callers of `fetch` in Bun's errors. */
const ADVICE =
  /\s*(fetching "[^"]*"\.?|For more information, pass .*|Was there a typo .*\?|Is the computer .*\?)/g;

/** The runtime's message for an error that we have none for. */
function ownWords(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(ADVICE, "").replace(/[:.\s]+$/, "") || "no reason given";
}

/** The words of an error and of its causes. */
function wordsOf(error: unknown): string {
  const parts: string[] = [];
  for (let e = error, depth = 0; e instanceof Error && depth < 4; e = e.cause, depth++) {
    parts.push(`${"code" in e ? e.code : ""} ${e.message}`);
  }
  return parts.join(" ");
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
  readonly #signal: AbortSignal | undefined;
  readonly #cancelled: Set<Cancellable> | undefined;
  #lane: Lane | undefined;
  #limit = "";
  /** Why the exchange was ended by us, if it was. */
  #reason: FlexLLMError | undefined;
  #isSent = false;
  /** Frees callers that wait for a server which ignores the signal. */
  #onEnd: (() => void) | undefined;

  constructor(url: string, signal: AbortSignal | undefined) {
    this.#url = url;
    this.#signal = signal;
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
    const message = `${this.#limit} within ${ms / 1000} s`;
    const hint = "Allow more time (--timeout, timeout in the configuration), or ask for less.";
    this.end(new TimeoutError(message, ms / 1000, { hint }));
  }

  cancel(): void {
    this.end(abortedBy(this.#signal));
  }

  /** Stops the clock: what follows does not depend on the server. */
  pause(): void {
    this.#lane?.delete(this);
  }

  /** Aborts the request; whatever waits for it fails with `reason`. */
  end(reason: FlexLLMError): void {
    this.#reason ??= reason;
    this.#controller.abort(this.#reason);
    this.#onEnd?.();
  }

  /** Calls `onEnd` if we end the exchange; only one callback at a time. */
  onEnd(onEnd: () => void): void {
    this.#onEnd = onEnd;
    if (this.#reason !== undefined) onEnd();
  }

  /** Whether the server may have got the request. */
  get isSent(): boolean {
    return this.#isSent;
  }

  /** Sends the request; resolves when the headers of the answer are there. */
  open(request: EncodedRequest, fetch: Fetch): Promise<Response> {
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
    this.#isSent = true;
    return this.orEnd(fetch(request.url, init), fetch);
  }

  /** Waits for `work` of `fetch`, or for the end: a stand-in for fetch may not look at the signal. */
  orEnd<T>(work: Promise<T>, fetch: Fetch): Promise<T> {
    if (fetch === defaultFetch) return work;
    return new Promise((resolve, reject) => {
      work.then(resolve, reject);
      this.onEnd(() => reject(this.#reason));
    });
  }

  /** The error to throw when the runtime throws `error` during this exchange. */
  error(error: unknown): FlexLLMError {
    if (this.#reason !== undefined) return this.#reason;
    if (error instanceof FlexLLMError) return error;
    const shown = shownUrl(this.#url);
    hideUrl(error, this.#url, shown);
    const words = wordsOf(error);
    const own = `the request failed: ${ownWords(error)}`;
    const [, problem, hint] = PROBLEMS.find(([sign]) => sign.test(words)) ?? [undefined, own];
    const sent = this.#isSent && !UNSENT.has(problem);
    return new ConnectionError(`${problem} (${shown})`, { cause: error, hint, sent });
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
): Promise<BufferedResponse> {
  const exchange = new Exchange(request.url, options.signal);
  try {
    exchange.limit(options.timeout, "no complete answer");
    const response = await exchange.open(request, fetch);
    return new ReadResponse(response, await exchange.orEnd(readBody(response), fetch));
  } catch (error) {
    throw exchange.error(error);
  } finally {
    exchange.close();
  }
}
