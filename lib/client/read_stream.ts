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
import { Exchange, type Fetch, type SendOptions } from "../transport/http.ts";
import { charsetOf, readBody } from "../transport/read_body.ts";
import { ServerSentEventReader } from "../transport/server_sent_events.ts";

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

/**
 * Reads one streamed completion, and returns the parts that are not events.
 *
 * @param write takes the events in the batches in which they arrive; resolves when more are wanted, and rejects to
 *   close the connection
 *
 * @throws {FlexLLMError} for every failure
 */
export async function readStream(
  request: EncodedRequest,
  fetch: Fetch,
  options: ReadStreamOptions,
  write: (events: StreamEvent[]) => Promise<void>,
): Promise<StreamEnd> {
  const { provider, timeout } = options;
  const exchange = new Exchange(request.url, options.signal);
  let reader: ServerSentEventReader | undefined;
  let finished = false;
  try {
    exchange.limit(timeout, "no first event of the answer");
    const response = await exchange.open(request, fetch);
    options.onResponse?.(response);
    const { status, headers } = response;
    const shown = (body: string) => redactAnswer({ status, headers, body }, options.secrets);
    if (!response.ok) {
      throwStatusError(
        provider,
        shown(await exchange.orEnd(readBody(response), fetch)),
        options.endpoint,
      );
    }
    const decoder = provider.streamDecoder(options.endpoint, options.isThinkingRequested);
    let hasEvents = false;
    const opened = reader = openBody(response);
    exchange.onEnd(() => opened.close());
    for (let batch; (batch = await opened.read()) !== undefined;) {
      if (typeof batch === "string") {
        const answer = decodeResponse(provider, shown(batch), options.endpoint);
        finished = true;
        await write(eventsOf(answer.completion));
        const { model, providerMessage, cost, serviceTier, billed } = answer.completion;
        return { model, providerMessage, cost, serviceTier, billed, raw: answer.raw };
      }
      const { events, error } = decodeBatch(batch, decoder, options.secrets);
      if (events.length > 0) {
        hasEvents = true;
        // The timeout excludes the time that the consumer takes.
        exchange.pause();
        await write(events);
        exchange.limit(timeout, "no further event of the answer");
      }
      if (error !== undefined && decoder.failure === undefined) throw error;
      if (error !== undefined || decoder.ended) break;
    }
    // After the first event, the caller adds what it has received to the error.
    const { failure } = decoder;
    if (failure !== undefined) {
      failure.error.message = redact(failure.error.message ?? "", ...options.secrets) || undefined;
      if (hasEvents && failure.usage) await write([{ type: "usage", usage: failure.usage }]);
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
