/**
 * Sends one encoded request and reads the response.
 *
 * It handles timeouts, cancellation and connection errors, and knows nothing about the meaning of bodies.
 *
 * @module
 */
import { abortedBy, ConnectionError, FlexLLMError, TimeoutError } from "../errors.ts";
import { withTraceContext } from "../telemetry/trace_headers.ts";
import type { EncodedRequest } from "./request.ts";
import { shownUrl } from "../redact.ts";
import type { RequestBody } from "../runtime/request_body.ts";
import { defaultFetch, openedResponse, runtimeFetch, sendDirectly } from "./default_fetch.ts";
import { type Cancellable, type Cancellation, cancelledBy } from "./cancellation.ts";
import { type Deadline, deadlinesOf, type Expiring } from "./deadlines.ts";
import { readBody } from "./read_body.ts";

/** The web's `fetch`, or a function with the same contract. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A request with another method or body than those of completions. */
export interface AnyRequest extends Omit<EncodedRequest, "body"> {
  /** @default "POST" with a body, else "GET" */
  method?: string;
  body?: string | RequestBody;
}

/** Options for sending a request. */
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

/** Our messages for the network errors of the runtimes, with hints. */
const PROBLEMS: readonly (readonly [sign: RegExp, problem: string, hint?: string])[] = [
  [
    /EMFILE|ENFILE|too many open files/i,
    "too many open files",
    "Raise the limit (ulimit -n), or lower the concurrency (-c).",
  ],
  [
    /Requires net access|EPERM/,
    "the program may not connect to the host",
    "Run it with --allow-net, or with --allow-net=HOST:PORT for this host only.",
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
    "Add your own certificate authority with NODE_EXTRA_CA_CERTS=file.pem; for a server without TLS, use http://.",
  ],
  [
    /head is too large|Headers_?TooLarge|Headers_?Overflow/i,
    "the headers of the answer are too large",
  ],
  [
    /CONNECT_TIMEOUT|ETIMEDOUT|E(HOST|NET)UNREACH|unreachable/i,
    "the server is unreachable",
    "Check the base URL, the network and the proxy.",
  ],
  [/EADDRNOTAVAIL/, "no local port is free for the connection", "Lower the concurrency (-c)."],
  [
    /InvalidHTTPResponse|Malformed_HTTP|InvalidContentLength|UnsupportedTransfer|HPE_(?!INVALID_EOF)|Decompression|ZlibError|Z_DATA|invalid HTTP|parse/i,
    "the server's answer is not HTTP",
    "Check the base URL with its port, and whether it is http or https.",
  ],
  [
    /reset|ECONNRESET|EPIPE|closed|EOF|hang up|terminated|body|incomplete|Z_BUF/i,
    "the connection was closed before the answer was complete",
  ],
];

/** The problem behind an error of the runtime, in words; `undefined` for an unknown one. */
export function networkProblem(error: unknown): string | undefined {
  const messages = messagesOf(error);
  return PROBLEMS.find(([sign]) => sign.test(messages))?.[1];
}

/** Problems that occur before the request reaches the server. */
const UNSENT: ReadonlySet<string> = new Set([
  "too many open files",
  "the program may not connect to the host",
  "connection refused",
  "the host name cannot be resolved",
  "the TLS connection failed",
  "no local port is free for the connection",
]);

/** Advice in Bun's errors that is meant for callers of `fetch`. */
const ADVICE =
  /\s*(fetching "[^"]*"\.?|For more information, pass .*|Was there a typo .*\?|Is the computer .*\?)/g;

/** The runtime's message, for errors that we have none for. */
function runtimeMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(ADVICE, "").replace(/[:.\s]+$/, "") || "no reason given";
}

/** The codes and messages of an error and its causes. */
function messagesOf(error: unknown): string {
  const parts: string[] = [];
  for (let e = error, depth = 0; e instanceof Error && depth < 4; e = e.cause, depth++) {
    parts.push(`${"code" in e ? e.code : ""} ${e.message}`);
  }
  return parts.join(" ");
}

/** Removes secrets in the URL from the runtime's messages, which `--verbose` prints. */
function hideUrl(error: unknown, url: string, shown: string): void {
  if (url === shown) return;
  for (let e = error, depth = 0; e instanceof Error && depth < 4; e = e.cause, depth++) {
    e.message = e.message.replaceAll(url, shown);
    e.stack = e.stack?.replaceAll(url, shown);
  }
}

const TIMEOUT_HINT =
  "Raise the timeout (--timeout, timeout in the configuration), or request a shorter answer.";

/** One request and its response: cancellation, timeout and errors. */
export class Exchange implements Cancellable, Expiring {
  readonly #url: string;
  readonly #signal: AbortSignal | undefined;
  readonly #cancellation: Cancellation | undefined;
  #deadline: Deadline | undefined;
  #limit = "";
  #hint = "";
  /** Why we ended the exchange, if we did. */
  #reason: FlexLLMError | undefined;
  #isSent = false;
  /** Aborts the request. */
  #abort: ((reason: FlexLLMError) => void) | undefined;
  /** Releases callers that wait for a `fetch` which ignores the signal. */
  #onEnd: (() => void) | undefined;

  constructor(url: string, signal: AbortSignal | undefined) {
    this.#url = url;
    this.#signal = signal;
    if (signal === undefined) return;
    if (signal.aborted) this.cancel();
    this.#cancellation = cancelledBy(signal, this);
  }

  /** Sets the timeout, which restarts with each call: the exchange ends after `seconds`. */
  limit(seconds: number, message: string, hint: string = TIMEOUT_HINT): void {
    this.#limit = message;
    this.#hint = hint;
    const queue = deadlinesOf(seconds);
    if (this.#deadline?.queue === queue) return this.#deadline.restart();
    this.#deadline?.remove();
    this.#deadline = queue.add(this);
  }

  expire(): void {
    const { ms } = this.#deadline!.queue;
    const message = `${this.#limit} within ${ms / 1000} s`;
    this.end(new TimeoutError(message, ms / 1000, { hint: this.#hint }));
  }

  cancel(): void {
    this.end(abortedBy(this.#signal));
  }

  /** Pauses the timeout while the caller, not the server, takes its time. */
  pause(): void {
    this.#deadline?.remove();
  }

  /** Aborts the request; everything that waits for it fails with `reason`. */
  end(reason: FlexLLMError): void {
    this.#reason ??= reason;
    this.#abort?.(this.#reason);
    this.#onEnd?.();
  }

  /** Calls `onEnd` when we end the exchange; replaces the previous callback. */
  onEnd(onEnd: () => void): void {
    this.#onEnd = onEnd;
    if (this.#reason !== undefined) onEnd();
  }

  /** @throws {FlexLLMError} the reason, if we ended the exchange */
  throwIfEnded(): void {
    if (this.#reason !== undefined) throw this.#reason;
  }

  /** Whether the server may have received the request. */
  get isSent(): boolean {
    return this.#isSent;
  }

  /** Sends the request; resolves when the response headers have arrived. */
  open(request: AnyRequest, fetch: Fetch): Promise<Response> {
    if (this.#reason !== undefined) throw this.#reason;
    const { method = request.body === undefined ? "GET" : "POST" } = request;
    const headers = withTraceContext(request.headers);
    this.#isSent = true;
    return this.#openDirectly({ ...request, method, headers }, fetch) ??
      this.#openWith(fetch, { ...request, method, headers });
  }

  /** Sends a request without the global `fetch`, where that is possible. */
  #openDirectly(
    { url, method, headers, body }: AnyRequest & { method: string },
    fetch: Fetch,
  ): Promise<Response> | undefined {
    if (fetch !== defaultFetch || typeof body === "object") return undefined;
    const response = sendDirectly({ url, method, headers, body: body ?? null });
    if (response === undefined) return undefined;
    this.#abort = (reason) => response.abort(reason);
    return openedResponse(response);
  }

  #openWith(fetch: Fetch, { url, method, headers, body }: AnyRequest): Promise<Response> {
    const controller = new AbortController();
    this.#abort = (reason) => controller.abort(reason);
    const init: RequestInit & { timeout: false } = {
      method,
      ...typeof body === "object"
        ? { ...body, headers: { ...headers, ...body.headers } }
        : { body, headers },
      // Keys and prompts only go to the configured server, not where it redirects.
      redirect: "manual",
      signal: controller.signal,
      // Disables Bun's own timeout, five minutes of silence: ours decides.
      timeout: false,
    };
    return this.orEnd((fetch === defaultFetch ? runtimeFetch : fetch)(url, init), fetch);
  }

  /** Waits for `work`, or for the end of the exchange: a custom `fetch` may ignore the signal. */
  orEnd<T>(work: Promise<T>, fetch: Fetch): Promise<T> {
    if (fetch === defaultFetch) return work;
    return new Promise((resolve, reject) => {
      work.then(resolve, reject);
      this.onEnd(() => reject(this.#reason));
    });
  }

  /** Converts an error that the runtime threw during this exchange. */
  error(error: unknown): FlexLLMError {
    if (this.#reason !== undefined) return this.#reason;
    if (error instanceof FlexLLMError) return error;
    const shown = shownUrl(this.#url);
    hideUrl(error, this.#url, shown);
    const messages = messagesOf(error);
    const own = `the request failed: ${runtimeMessage(error)}`;
    const [, problem, hint] = PROBLEMS.find(([sign]) => sign.test(messages)) ?? [undefined, own];
    const sent = this.#isSent && !UNSENT.has(problem);
    return new ConnectionError(`${problem} (${shown})`, { cause: error, hint, sent });
  }

  /** Releases the timeout and the signal. */
  close(): void {
    this.#deadline?.remove();
    this.#cancellation?.remove();
  }
}

/**
 * Sends `request` and reads the whole response, whatever its status.
 *
 * @throws {ConnectionError} when the server cannot be reached or the connection breaks
 * @throws {TimeoutError} when the response is not complete after `timeout` seconds
 * @throws {MalformedResponseError} when the response is larger than {@link MAX_ANSWER_BYTES}
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
    const failure = exchange.error(error);
    // What is left of the answer is not read.
    exchange.end(failure);
    throw failure;
  } finally {
    exchange.close();
  }
}
