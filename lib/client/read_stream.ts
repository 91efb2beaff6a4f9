/**
 * Opens a streamed completion and reads its events. Handles the two timeouts, errors in the middle of a stream,
 * and streams that end early.
 *
 * @module
 */
import { eventsOf, StreamAccumulator, type StreamEvent } from "../chat/events.ts";
import { AbortedError, MalformedResponseError } from "../errors.ts";
import { decodeResponse, throwIncomplete, throwStatusError } from "../protocols/decode_response.ts";
import type { Completion, Endpoint, Protocol, StreamDecoder } from "../protocols/protocol.ts";
import type { EncodedRequest } from "../transport/request.ts";
import { redact, redactAnswer } from "../redact.ts";
import {
  type BufferedResponse,
  Exchange,
  type Fetch,
  type SendOptions,
} from "../transport/http.ts";
import { charsetOf, readBody } from "../transport/read_body.ts";
import { ServerSentEventReader } from "../transport/server_sent_events.ts";
import { type EventSink, type EventWriter, write } from "./event_sink.ts";

/** The context of a streamed request. */
export interface ReadStreamOptions extends SendOptions {
  provider: Protocol;
  /** Whether thinking was requested. */
  isThinkingRequested: boolean;
  /** The request's endpoint, for decoding answers and errors. */
  endpoint?: Endpoint;
  /** Texts to remove from everything that an error quotes from the server. */
  secrets: readonly string[];
  /** Called when the headers of the response have arrived. */
  onResponse?: (response: Response) => void;
}

/** The parts of a completion that are not events; known when the stream has ended. */
export type StreamEnd =
  & Pick<Completion, "providerMessage" | "cost" | "serviceTier" | "billed">
  & { model?: string; raw?: unknown };

/** Decodes the events of one body, and pushes them to a sink as they arrive. */
class EventForwarder implements EventWriter {
  /** The error of an event; no more events are read. */
  error: unknown;
  hasEvents = false;
  readonly #decoder: StreamDecoder;
  readonly #options: ReadStreamOptions;
  readonly #exchange: Exchange;
  readonly #reader: ServerSentEventReader;
  readonly #sink: EventSink;

  constructor(
    decoder: StreamDecoder,
    options: ReadStreamOptions,
    exchange: Exchange,
    reader: ServerSentEventReader,
    sink: EventSink,
  ) {
    this.#decoder = decoder;
    this.#options = options;
    this.#exchange = exchange;
    this.#reader = reader;
    this.#sink = sink;
  }

  /** Pushes the events of a batch. Returns whether more are wanted at once. */
  push(batch: readonly string[]): boolean {
    const events = this.decode(batch);
    if (events.length > 0) {
      // The timeout excludes the time that the consumer takes.
      this.#exchange.pause();
      this.#sink.push(events, this);
      return false;
    }
    if (this.#isOver) this.#reader.stop();
    return true;
  }

  /** The events of a batch, up to an error in it. */
  decode(batch: readonly string[]): StreamEvent[] {
    const { events, error } = decodeBatch(batch, this.#decoder, this.#options.secrets);
    this.error = error;
    if (events.length > 0) this.hasEvents = true;
    return events;
  }

  get #isOver(): boolean {
    return this.error !== undefined || this.#decoder.ended;
  }

  onDemand(): void {
    if (this.#isOver) return this.#reader.stop();
    this.#exchange.limit(this.#options.timeout, "no further event of the answer");
    this.#reader.proceed();
  }

  onStop(reason: unknown): void {
    this.#exchange.end(this.#exchange.error(reason));
  }
}

/**
 * Reads one streamed completion, pushes its events to `sink`, and returns the parts that are not events.
 *
 * @throws {FlexLLMError} for every failure
 */
export async function readStream(
  request: EncodedRequest,
  fetch: Fetch,
  options: ReadStreamOptions,
  sink: EventSink,
): Promise<StreamEnd> {
  const { provider, timeout } = options;
  const exchange = new Exchange(request.url, options.signal);
  let reader: ServerSentEventReader | undefined;
  let finished = false;
  try {
    exchange.limit(timeout, "no first event of the answer");
    const response = await exchange.open(request, fetch);
    options.onResponse?.(response);
    if (!response.ok) {
      const body = await exchange.orEnd(readBody(response), fetch);
      throwStatusError(provider, shownAnswer(response, body, options), options.endpoint);
    }
    const decoder = provider.streamDecoder(options.endpoint, options.isThinkingRequested);
    const opened = reader = openBody(response);
    exchange.onEnd(() => opened.close());
    const forwarder = new EventForwarder(decoder, options, exchange, opened, sink);
    const rest = await opened.forEach((batch) => forwarder.push(batch));
    exchange.throwIfEnded();
    exchange.pause();
    if (typeof rest === "string") {
      const body = shownAnswer(response, rest, options);
      const { completion, raw } = decodeResponse(provider, body, options.endpoint);
      finished = true;
      await write(sink, eventsOf(completion));
      const { model, providerMessage, cost, serviceTier, billed } = completion;
      return { model, providerMessage, cost, serviceTier, billed, raw };
    }
    const events = rest.length > 0 ? forwarder.decode(rest) : [];
    if (events.length > 0) await write(sink, events);
    const { error, hasEvents } = forwarder;
    const { failure } = decoder;
    if (error !== undefined && failure === undefined) throw error;
    // After the first event, the caller adds what it has received to the error.
    if (failure !== undefined) {
      failure.error.message = redact(failure.error.message ?? "", ...options.secrets) || undefined;
      if (hasEvents && failure.usage) {
        await write(sink, [{ type: "usage", usage: failure.usage }]);
      }
    }
    throwIncomplete(decoder, options.endpoint, hasEvents ? undefined : new StreamAccumulator());
    finished = true;
    const { model, cost, serviceTier, billed, raw } = decoder;
    return { model, providerMessage: decoder.providerMessage(), cost, serviceTier, billed, raw };
  } catch (error) {
    throw exchange.error(error);
  } finally {
    reader?.close();
    if (!finished) exchange.end(new AbortedError());
    exchange.close();
  }
}

/** A whole answer without secrets. */
function shownAnswer(
  { status, headers }: Response,
  body: string,
  { secrets }: ReadStreamOptions,
): BufferedResponse {
  return redactAnswer({ status, headers, body }, secrets);
}

function openBody(response: Response): ServerSentEventReader {
  return new ServerSentEventReader(response, charsetOf(response));
}

/** Decodes a batch up to the first error in it. The events before the error count as received. */
export function decodeBatch(
  batch: readonly string[],
  decoder: StreamDecoder,
  secrets: readonly string[],
): { events: StreamEvent[]; error?: unknown } {
  const events: StreamEvent[] = [];
  for (const data of batch) {
    try {
      decoder.push(data, events);
    } catch (error) {
      return { events, error: withoutSecrets(error, data, decoder, secrets) };
    }
    if (decoder.ended) break;
  }
  return { events };
}

/** Returns the error of an event; decodes the event again without secrets if the server echoed one. */
function withoutSecrets(
  error: unknown,
  data: string,
  decoder: StreamDecoder,
  secrets: readonly string[],
): unknown {
  const shown = redact(data, ...secrets);
  if (shown === data) return error;
  try {
    decoder.push(shown, []);
  } catch (redacted) {
    return redacted;
  }
  return new MalformedResponseError("the server sent an event that cannot be read");
}
