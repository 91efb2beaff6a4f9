/**
 * Records real traffic: passes requests on to a server and appends every exchange to a file.
 *
 * @module
 */
import { redact } from "../../redact.ts";
import type { ProtocolServer } from "../../protocols/serve.ts";
import { serverFor } from "../../protocols/servers.ts";
import { type AccessFacts, addFacts } from "../access_log.ts";
import { errorResponse } from "../error_response.ts";
import type { RequestLog } from "../request_log.ts";
import { encodeChunks, type TimedBytes } from "./bytes.ts";
import { type Exchange, type RecordedResponse, RECORDING_VERSION } from "./exchange.ts";
import type { Player } from "./player.ts";
import { recordedRequest } from "./recorded_request.ts";
import type { RecordingFile } from "./recording_file.ts";
import { keptResponseHeaders, redactChunks, secretsOf } from "./redaction.ts";
import { withoutKeys } from "./secret_text.ts";
import { usageOf } from "./usage.ts";
import {
  decodedBody,
  reasonOf,
  type UpstreamFetch,
  upstreamHeaders,
  upstreamUrl,
} from "./upstream.ts";

/** What a recorder needs. */
export interface RecorderParts {
  /** The base URL of the server. */
  url: URL;
  file: RecordingFile;
  /** Answers the requests that the file already has; without one, they are recorded again. */
  player?: Player;
  fetch: UpstreamFetch;
  servers: readonly ProtocolServer[];
  log: RequestLog;
}

/** Headers of the response that no longer describe it. */
const CHANGED_HEADERS = ["content-encoding", "connection", "keep-alive", "transfer-encoding"];

function passedHeaders(headers: Headers): Headers {
  const passed = new Headers(headers);
  // The length is that of the compressed body.
  if (headers.has("content-encoding")) passed.delete("content-length");
  CHANGED_HEADERS.forEach((name) => passed.delete(name));
  return passed;
}

/** One request while it is recorded. */
class Recording {
  readonly #started = performance.now();
  readonly #time = new Date().toISOString();
  readonly #parts: RecorderParts;
  readonly #request: Request;
  readonly #body: Uint8Array;
  readonly #chunks: TimedBytes[] = [];
  #isWritten = false;

  constructor(parts: RecorderParts, request: Request, body: Uint8Array) {
    this.#parts = parts;
    this.#request = request;
    this.#body = body;
  }

  /** Milliseconds since the request was sent. */
  elapsed(): number {
    return Math.round(performance.now() - this.#started);
  }

  chunk(bytes: Uint8Array): void {
    this.#chunks.push({ at: this.elapsed(), bytes });
  }

  /** Writes the exchange, once. */
  end(response: Response, at: number, end: RecordedResponse["end"]): void {
    if (this.#isWritten) return;
    this.#isWritten = true;
    const secrets = secretsOf(this.#request);
    const { status, headers } = response;
    const chunks = redactChunks(encodeChunks(this.#chunks), secrets, status >= 400);
    const exchange: Exchange = {
      version: RECORDING_VERSION,
      time: this.#time,
      request: recordedRequest(this.#request, this.#body, secrets),
      response: {
        status,
        headers: keptResponseHeaders(headers, secrets),
        at,
        chunks,
        end,
        endAt: this.elapsed(),
      },
    };
    const usage = usageOf(chunks.map(({ text = "" }) => text).join(""));
    addFacts(this.#request, { ...usage, note: "recorded" });
    try {
      this.#parts.file.append(exchange);
    } catch (error) {
      addFacts(this.#request, { note: `not recorded: ${reasonOf(error)}` });
    }
  }
}

/** The model in the body of a request, for the access log. */
function factsOf(body: Uint8Array): AccessFacts {
  try {
    const { model } = JSON.parse(new TextDecoder().decode(body));
    return typeof model === "string" ? { model } : {};
  } catch {
    return {};
  }
}

/** Passes requests on to a server and records them. */
export class Recorder {
  readonly #parts: RecorderParts;
  /** Ends the exchanges that are not complete yet. */
  readonly #active = new Set<() => void>();
  #failed = 0;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  /** Ends all exchanges as if their clients had left, and closes the file. */
  close(): void {
    for (const leave of this.#active) leave();
    this.#parts.file.close();
  }

  /** Passes a request on. */
  async answer(request: Request): Promise<Response> {
    const body = new Uint8Array(await request.arrayBuffer());
    addFacts(request, factsOf(body));
    const known = await this.#parts.player?.find(request, body);
    const response = known ?? await this.#send(request, body);
    this.#parts.log.add(request, new TextDecoder().decode(body), response.status);
    return response;
  }

  #problem(request: Request, status: number, message: string): Response {
    const server = serverFor(this.#parts.servers, request);
    const requestId = `req_mock_${++this.#failed}`;
    return errorResponse({ request, server, requestId, headers: {} }, { status, message });
  }

  async #send(request: Request, body: Uint8Array): Promise<Response> {
    if (request.headers.get("upgrade")?.toLowerCase() === "websocket") {
      return this.#problem(request, 501, "The mock server cannot record WebSocket connections.");
    }
    const { url, fetch } = this.#parts;
    const recording = new Recording(this.#parts, request, body);
    const upstream = new AbortController();
    const onLeave = () => upstream.abort();
    request.signal.addEventListener("abort", onLeave, { once: true });
    const hasBody = request.method !== "GET" && request.method !== "HEAD" && body.length > 0;
    const init: RequestInit & { timeout: false } = {
      method: request.method,
      headers: upstreamHeaders(request.headers),
      body: hasBody ? body as BodyInit : undefined,
      redirect: "manual",
      signal: upstream.signal,
      // Disables Bun's own timeout: the client's decides.
      timeout: false,
    };
    try {
      const response = await fetch(upstreamUrl(url, new URL(request.url)), init);
      const at = recording.elapsed();
      const stream = await decodedBody(response);
      return this.#passOn(request, response, stream, recording, at, upstream);
    } catch (error) {
      if (request.signal.aborted) return new Response(null, { status: 499 });
      // It may contain the whole URL.
      const reason = withoutKeys(redact(reasonOf(error), ...secretsOf(request)));
      return this.#problem(request, 502, `The mock server cannot reach ${url.origin}: ${reason}`);
    }
  }

  #passOn(
    request: Request,
    response: Response,
    stream: ReadableStream<Uint8Array> | null,
    recording: Recording,
    at: number,
    upstream: AbortController,
  ): Response {
    const init = { status: response.status, headers: passedHeaders(response.headers) };
    if (stream === null) {
      recording.end(response, at, "complete");
      return new Response(null, init);
    }
    const isStream = /event-stream|ndjson|jsonl/.test(response.headers.get("content-type") ?? "");
    addFacts(request, { streamed: isStream, isOpen: true });
    const reader = stream.getReader();
    const leave = () => {
      recording.end(response, at, "aborted");
      this.#active.delete(leave);
      upstream.abort();
    };
    this.#active.add(leave);
    request.signal.addEventListener("abort", leave, { once: true });
    const pump = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      try {
        for (;;) {
          const { value, done } = await reader.read();
          if (done) break;
          recording.chunk(value);
          controller.enqueue(value);
        }
        recording.end(response, at, "complete");
        controller.close();
      } catch (error) {
        recording.end(response, at, request.signal.aborted ? "aborted" : "broken");
        controller.error(error);
      } finally {
        this.#active.delete(leave);
      }
    };
    const body = new ReadableStream<Uint8Array>({
      // Reads as fast as the server sends, so that a slow client does not change the recorded times.
      start: (controller) => void pump(controller),
      cancel: leave,
    });
    return new Response(body, init);
  }
}
