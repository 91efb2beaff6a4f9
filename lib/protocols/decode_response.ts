/**
 * Decodes a whole HTTP response to a completion, or to an error. Pure.
 *
 * @module
 */
import { mayBeInexact, parseExact } from "../json/json.ts";
import { StreamAccumulator, type StreamEvent } from "../chat/events.ts";
import { FlexLLMError, MalformedResponseError, type PartialCompletion } from "../errors.ts";
import { parseEventStream } from "../transport/event_stream.ts";
import type { BufferedResponse } from "../transport/http.ts";
import type { Completion, Endpoint, Protocol, StreamDecoder } from "./protocol.ts";
import { embeddedError, notJsonError, statusError } from "./response_error.ts";

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Throws the error for a response whose status is not a success. */
export function throwStatusError(
  protocol: Protocol,
  response: BufferedResponse,
  endpoint?: Endpoint,
): never {
  const { status, headers, body } = response;
  const objects = parseEventStream(body)?.map(tryParse) ?? [tryParse(body)];
  const error = objects.map((object) => protocol.decodeError(object)).find((error) => error);
  throw statusError(status, headers, body, error, endpoint);
}

/**
 * Parses the body of a response.
 *
 * @throws {FlexLLMError} for an error status, an error object, or a body that is not JSON
 */
export function parseResponse(
  protocol: Protocol,
  response: BufferedResponse,
  endpoint?: Endpoint,
): unknown {
  if (response.status < 200 || response.status > 299) {
    throwStatusError(protocol, response, endpoint);
  }
  const raw = parseBody(response);
  throwEmbeddedError(protocol, response, raw, endpoint);
  return raw;
}

function parseBody(response: BufferedResponse): unknown {
  try {
    return JSON.parse(response.body);
  } catch (cause) {
    throw notJsonError(response.status, response.headers, response.body, cause);
  }
}

/** Throws the error that a body contains. Other bodies don't need the headers, which are created on first access. */
function throwEmbeddedError(
  protocol: Protocol,
  response: Pick<BufferedResponse, "headers"> | undefined,
  raw: unknown,
  endpoint: Endpoint | undefined,
): void {
  const error = protocol.decodeError(raw);
  if (error === undefined) return;
  const id = response?.headers.get("x-request-id") ?? undefined;
  throw embeddedError(error, id, partialOf(protocol, raw, endpoint), endpoint);
}

/** The content next to an error object, if there is any. */
function partialOf(
  protocol: Protocol,
  raw: unknown,
  endpoint: Endpoint | undefined,
): PartialCompletion | undefined {
  try {
    const { content, thinking, usage } = protocol.decode(raw, endpoint);
    return { content, thinking, usage };
  } catch (error) {
    return error instanceof FlexLLMError ? error.partial : undefined;
  }
}

/**
 * Decodes the response to a plain request. It may be an event stream: some servers always stream.
 *
 * @throws {FlexLLMError} for an error status, an error object, or a body that is not a completion
 */
export function decodeResponse(
  protocol: Protocol,
  response: BufferedResponse,
  endpoint?: Endpoint,
): { completion: Completion; raw: unknown } {
  if (response.status < 200 || response.status > 299) {
    throwStatusError(protocol, response, endpoint);
  }
  const events = parseEventStream(response.body);
  if (events !== undefined) return decodeEvents(protocol, events, endpoint);
  const raw = parseBody(response);
  const body = protocol.exactNumbers && mayBeInexact(response.body)
    ? parseExact(response.body)
    : raw;
  return { completion: decodeBody(protocol, body, raw, endpoint, response), raw };
}

/**
 * Decodes the parsed body of a plain answer.
 *
 * @param body as {@link Protocol.decode} expects it; `raw` is the same with plain numbers
 * @throws {FlexLLMError} for an error object, or a body that is not a completion
 */
export function decodeBody(
  protocol: Protocol,
  body: unknown,
  raw: unknown,
  endpoint?: Endpoint,
  response?: Pick<BufferedResponse, "headers">,
): Completion {
  throwEmbeddedError(protocol, response, raw, endpoint);
  return protocol.decode(body, endpoint);
}

function decodeEvents(
  protocol: Protocol,
  events: readonly string[],
  endpoint: Endpoint | undefined,
): { completion: Completion; raw: unknown } {
  const decoder = protocol.streamDecoder(endpoint);
  const total = new StreamAccumulator();
  try {
    for (const data of events) {
      const decoded: StreamEvent[] = [];
      decoder.push(data, decoded);
      total.addAll(decoded);
      if (decoder.ended) break;
    }
  } catch (error) {
    throwIncomplete(decoder, endpoint, total, error);
  }
  throwIncomplete(decoder, endpoint, total);
  const { model = "", cost, serviceTier, billed, raw = { model } } = decoder;
  const providerMessage = decoder.providerMessage();
  return {
    completion: { ...total.completion(), model, providerMessage, cost, serviceTier, billed },
    raw,
  };
}

/**
 * Throws if a stream that has ended did so with an error, or before its answer was complete.
 *
 * @param received adds what arrived to the error; `undefined` if the caller does
 * @param thrown the error of the decoder, if that ended the stream
 */
export function throwIncomplete(
  decoder: StreamDecoder,
  endpoint: Endpoint | undefined,
  received: StreamAccumulator | undefined,
  thrown?: unknown,
): void {
  const partial = received?.partial();
  if (decoder.failure !== undefined) {
    const { error, usage } = decoder.failure;
    const withUsage = partial && { ...partial, usage: usage ?? partial.usage };
    throw embeddedError(error, undefined, withUsage, endpoint);
  }
  if (thrown instanceof FlexLLMError) thrown.partial ??= partial;
  if (thrown !== undefined) throw thrown;
  if (!decoder.complete) {
    throw new MalformedResponseError("the stream ended before the answer was complete", {
      retryable: true,
      partial,
    });
  }
}
