/**
 * Replays recorded traffic: answers requests with what a real server answered.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { canonicalJson } from "../../json/canonical.ts";
import { asObject, asText, type RawNumber } from "../../json/json.ts";
import type { ProtocolServer } from "../../protocols/serve.ts";
import { serverFor } from "../../protocols/servers.ts";
import type { Clock } from "../../runtime/clock.ts";
import { addFacts } from "../access_log.ts";
import { errorResponse } from "../error_response.ts";
import type { RequestLog } from "../request_log.ts";
import { decodeBytes } from "./bytes.ts";
import { nearestRequest } from "./differences.ts";
import type { LocatedExchange, RecordedRequest, RecordedResponse } from "./exchange.ts";
import { recordedRequest } from "./recorded_request.ts";
import { secretsOf } from "./redaction.ts";
import { usageOf } from "./usage.ts";

/** What a player needs. */
export interface PlayerParts {
  /** The name of the recording, for messages. */
  file: string;
  exchanges: readonly LocatedExchange[];
  /** How much faster than recorded; `Infinity` for no waits. */
  speed: number;
  /** Whether the last answer to a request is repeated. */
  repeat: boolean;
  servers: readonly ProtocolServer[];
  log: RequestLog;
  clock: Clock;
}

/** Milliseconds before a broken connection, so that what was written before reaches the client. */
const FLUSH = 20;
/** How long to wait for the client to leave where it left in the recording, in milliseconds. */
const LEAVE_TIMEOUT = 5000;

/** The same for `1.10` and `1.1`, but not for two integers that a double would make equal. */
function comparableNumber({ rawJSON }: RawNumber): string {
  return /^-?\d+$/.test(rawJSON) ? rawJSON : String(Number(rawJSON));
}

/** Equal for equal requests. The order of fields and the notation of numbers don't matter. */
function keyOf({ method, path, json, text, base64 }: RecordedRequest): string {
  const body = json !== undefined
    ? `json ${canonicalJson(json, comparableNumber)}`
    : text !== undefined
    ? `text ${text}`
    : `base64 ${base64 ?? ""}`;
  return `${method} ${path} ${body}`;
}

/** The recorded answers to one request. */
interface Answers {
  exchanges: LocatedExchange[];
  /** How many of them were replayed. */
  used: number;
}

function isStream({ headers, end }: RecordedResponse): boolean {
  return end !== "complete" || /event-stream|ndjson|jsonl/.test(headers["content-type"] ?? "");
}

/** Answers requests from a recording. */
export class Player {
  readonly #parts: PlayerParts;
  readonly #answers = new Map<string, Answers>();
  #missed = 0;

  constructor(parts: PlayerParts) {
    this.#parts = parts;
    for (const exchange of parts.exchanges) {
      const key = keyOf(exchange.request);
      const answers = this.#answers.get(key);
      if (answers !== undefined) answers.exchanges.push(exchange);
      else this.#answers.set(key, { exchanges: [exchange], used: 0 });
    }
  }

  /** Replays the answer to a request. */
  async answer(request: Request): Promise<Response> {
    const body = new Uint8Array(await request.arrayBuffer());
    const response = await this.find(request, body) ?? this.#missing(request, body);
    this.#parts.log.add(request, new TextDecoder().decode(body), response.status);
    return response;
  }

  /** Replays the answer to a request; `undefined` if there is none. */
  async find(request: Request, body: Uint8Array): Promise<Response | undefined> {
    const sent = recordedRequest(request, body, secretsOf(request));
    addFacts(request, { model: asText(asObject(sent.json)?.model) });
    // The key of a test may be an ordinary word, which was not removed from the recorded request.
    const answers = this.#answers.get(keyOf(sent)) ??
      this.#answers.get(keyOf(recordedRequest(request, body, [])));
    const exchange = answers && this.#next(answers);
    return exchange && await this.#replay(request, exchange);
  }

  /** The nth answer for the nth request. */
  #next(answers: Answers): LocatedExchange | undefined {
    const { exchanges, used } = answers;
    answers.used++;
    return exchanges[used] ?? (this.#parts.repeat ? exchanges.at(-1) : undefined);
  }

  #missing(request: Request, body: Uint8Array): Response {
    const { file, exchanges, servers } = this.#parts;
    const sent = recordedRequest(request, body, secretsOf(request));
    const answers = this.#answers.get(keyOf(sent));
    const what = `${sent.method} ${sent.path}`;
    const lines = answers?.exchanges.map(({ line }) => line).join(", ");
    const message = lines === undefined
      ? `${file} has no recorded answer to this ${what}. ${nearestRequest(exchanges, sent)}`
      : `Every recorded answer in ${file} to this ${what} was already replayed (line ${lines}).`;
    const server = serverFor(servers, request);
    const requestId = `req_mock_${++this.#missed}`;
    const context = { request, server, requestId, headers: server.headers(requestId) };
    return errorResponse(context, { status: 404, message, code: "not_recorded" });
  }

  async #replay(
    request: Request,
    { line, response: recorded }: LocatedExchange,
  ): Promise<Response> {
    const { status, headers, chunks, at, end, endAt } = recorded;
    const streamed = isStream(recorded);
    const usage = usageOf(chunks.map(({ text = "" }) => text).join(""));
    addFacts(request, { ...usage, streamed, note: `line ${line}` });
    const started = this.#parts.clock.now();
    try {
      await this.#waitUntil(streamed ? at : endAt, started, request.signal);
    } catch {
      return new Response(null, { status: 499 });
    }
    if (!streamed) {
      const bytes = Buffer.concat(chunks.map((chunk) => decodeBytes(chunk)));
      return new Response(bytes.length > 0 ? bytes as BodyInit : null, { status, headers });
    }
    addFacts(request, { isOpen: true });
    const rest = chunks[Symbol.iterator]();
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const { value, done } = rest.next();
        try {
          if (!done) {
            await this.#waitUntil(value.at, started, request.signal);
            if (value === chunks.at(-1) && end === "complete") addFacts(request, { isSent: true });
            return controller.enqueue(decodeBytes(value));
          }
          await this.#waitUntil(endAt, started, request.signal);
          if (end === "complete") return controller.close();
          const wait = end === "aborted" ? LEAVE_TIMEOUT : FLUSH;
          await this.#parts.clock.sleep(wait, request.signal);
        } catch {
          // The client left.
        }
        controller.error(new Error("the recorded answer ends here"));
      },
    }, { highWaterMark: 0 });
    return new Response(body, { status, headers });
  }

  /** Waits until `at` milliseconds after `started`, in the time of the recording. */
  async #waitUntil(at: number, started: number, signal: AbortSignal): Promise<void> {
    const { clock, speed } = this.#parts;
    const wait = started + at / speed - clock.now();
    if (wait > 0) await clock.sleep(wait, signal);
  }
}
