/**
 * Sends the requests of batch APIs to an endpoint: URLs, keys, timeouts and errors.
 *
 * @module
 */
import { MalformedResponseError } from "../errors.ts";
import { tryParse } from "../json/json.ts";
import type { Endpoint, Protocol } from "../protocols/protocol.ts";
import { type KeyHeader, requestHeaders, requestUrl } from "../protocols/request.ts";
import { notJsonError, statusError } from "../protocols/response_error.ts";
import { redactAnswer, secretsOf, type ShownAnswer } from "../redact.ts";
import { streamedBody } from "../runtime/request_body.ts";
import { bodyLines } from "../transport/body_lines.ts";
import { Exchange, type Fetch } from "../transport/http.ts";
import { readBody } from "../transport/read_body.ts";
import { startUpload } from "../transport/upload.ts";
import type { BatchHttp, BatchRequest, BatchResponse } from "./batch_http.ts";

/** Options of {@link createBatchHttp}. */
export interface BatchHttpOptions {
  /** The wire format of the requests in the batch: how its API sends the key and reports errors. */
  protocol: Pick<Protocol, "name" | "decodeError">;
  /**
   * Seconds without progress after which a request fails. Uploads and downloads may take longer than that.
   *
   * @default 300
   */
  timeout?: number;
  /** Cancels all requests. */
  signal?: AbortSignal;
  /**
   * The time of day in milliseconds since 1970.
   *
   * @default Date.now
   */
  now?: () => number;
}

/** The headers of formats that do not use a bearer token. */
const KEY_HEADERS: Record<string, KeyHeader> = {
  claude: "x-api-key",
  gemini: "x-goog-api-key",
};

const MAX_REDIRECTS = 5;

const TIMEOUT_HINT =
  "Check the network, or raise the timeout (--timeout, timeout in the configuration).";

/** Headers with this content type: one that the user set for all requests does not fit an upload. */
function withContentType(
  headers: Record<string, string>,
  type: string | undefined,
): Record<string, string> {
  if (type === undefined) return headers;
  const others = Object.entries(headers).filter(([name]) => name.toLowerCase() !== "content-type");
  return { ...Object.fromEntries(others), "content-type": type };
}

/** The URL and headers of a request. An absolute URL of another origin gets neither key nor headers. */
function target(
  endpoint: Endpoint,
  keyHeader: KeyHeader,
  { path, query = {}, headers = {}, json }: Pick<
    BatchRequest,
    "path" | "query" | "headers" | "json"
  >,
): { url: string; headers: Record<string, string> } {
  const type = headers["content-type"] ?? (json === undefined ? undefined : "application/json");
  const own = withContentType(requestHeaders(endpoint, keyHeader, headers), type);
  if (path.startsWith("/")) return { url: requestUrl(endpoint, path, query), headers: own };
  const url = URL.parse(path);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new MalformedResponseError("the server answered with a URL that is not valid");
  }
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  const isOwn = url.origin === new URL(endpoint.baseUrl).origin;
  return { url: url.href, headers: isOwn ? own : withContentType(headers, type) };
}

class EndpointHttp implements BatchHttp {
  readonly #endpoint: Endpoint;
  readonly #fetch: Fetch;
  readonly #options: BatchHttpOptions;
  readonly #timeout: number;
  readonly #keyHeader: KeyHeader;
  readonly #secrets: readonly string[];
  #clockOffset: number | undefined;

  constructor(endpoint: Endpoint, fetch: Fetch, options: BatchHttpOptions) {
    this.#endpoint = endpoint;
    this.#fetch = fetch;
    this.#options = options;
    this.#timeout = options.timeout ?? 300;
    this.#keyHeader = KEY_HEADERS[options.protocol.name] ?? "authorization";
    this.#secrets = secretsOf(endpoint);
  }

  get clockOffset(): number | undefined {
    return this.#clockOffset;
  }

  async send(request: BatchRequest): Promise<BatchResponse> {
    const { url, headers } = target(this.#endpoint, this.#keyHeader, request);
    const exchange = new Exchange(url, this.#options.signal);
    try {
      exchange.limit(this.#timeout, "no answer", TIMEOUT_HINT);
      const response = await this.#open(exchange, request, url, headers);
      this.#readClock(response);
      exchange.limit(this.#timeout, "no complete answer", TIMEOUT_HINT);
      const body = await exchange.orEnd(readBody(response), this.#fetch);
      const { status } = response;
      // Where an upload continues; the URL contains a signature.
      if (request.allowRedirect && isRedirect(status)) {
        return { status, headers: response.headers, json: tryParse(body), text: body };
      }
      if (!response.ok) this.#fail(response, body);
      const answer = { status, headers: response.headers, body };
      return { status, headers: response.headers, json: this.#parse(answer), text: body };
    } catch (error) {
      throw exchange.error(error);
    } finally {
      exchange.close();
    }
  }

  async *lines(
    request: Omit<BatchRequest, "method" | "json" | "body">,
  ): AsyncGenerator<string, void, void> {
    let { url, headers } = target(this.#endpoint, this.#keyHeader, request);
    const exchange = new Exchange(url, this.#options.signal);
    const fetch = this.#fetch;
    try {
      for (let redirects = 0;; redirects++) {
        exchange.limit(this.#timeout, "no answer", TIMEOUT_HINT);
        const response = await exchange.open({ url, headers }, fetch);
        if (response.ok) {
          const options = { exchange, fetch, timeout: this.#timeout, hint: TIMEOUT_HINT };
          return yield* bodyLines(response, options);
        }
        const body = await exchange.orEnd(readBody(response), fetch);
        const next = request.allowRedirect && redirects < MAX_REDIRECTS
          ? redirectOf(response, url)
          : undefined;
        if (next === undefined) this.#fail(response, body);
        ({ url, headers } = target(this.#endpoint, this.#keyHeader, { ...request, path: next }));
      }
    } catch (error) {
      throw exchange.error(error);
    } finally {
      exchange.close();
    }
  }

  async #open(
    exchange: Exchange,
    { method, body, json }: BatchRequest,
    url: string,
    headers: Record<string, string>,
  ): Promise<Response> {
    if (typeof body === "object") {
      const timeout = { seconds: this.#timeout, hint: TIMEOUT_HINT };
      const upload = startUpload(body, exchange, timeout);
      try {
        const streamed = streamedBody(upload.stream, body.size);
        return await exchange.open({ method, url, headers, body: streamed }, this.#fetch);
      } finally {
        upload.close();
      }
    }
    const text = json === undefined ? body : JSON.stringify(json);
    return await exchange.open({ method, url, headers, body: text }, this.#fetch);
  }

  /** The JSON of an answer. A web page means that the base URL is wrong, which is worth an error of its own. */
  #parse(answer: ShownAnswer): unknown {
    const json = tryParse(answer.body);
    if (json === undefined && /html/i.test(answer.headers.get("content-type") ?? "")) {
      const { status, headers, body } = redactAnswer(answer, this.#secrets);
      throw notJsonError(status, headers, body, undefined);
    }
    return json;
  }

  #readClock({ headers }: Response): void {
    const time = Date.parse(headers.get("date") ?? "");
    if (!Number.isNaN(time)) this.#clockOffset = time - (this.#options.now ?? Date.now)();
  }

  /** Throws the error for an answer that is not a success. */
  #fail({ status, headers }: Response, body: string): never {
    const answer = redactAnswer({ status, headers, body }, this.#secrets);
    const error = this.#options.protocol.decodeError(tryParse(answer.body));
    throw statusError(status, answer.headers, answer.body, error, this.#endpoint);
  }
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

/** The absolute URL that an answer redirects to. */
function redirectOf({ status, headers }: Response, url: string): string | undefined {
  const location = isRedirect(status) ? headers.get("location") : null;
  return location === null ? undefined : URL.parse(location, url)?.href;
}

/** Creates what sends the requests of batch APIs to `endpoint`. */
export function createBatchHttp(
  endpoint: Endpoint,
  fetch: Fetch,
  options: BatchHttpOptions,
): BatchHttp {
  return new EndpointHttp(endpoint, fetch, options);
}
