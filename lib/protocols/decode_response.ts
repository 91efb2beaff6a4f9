/**
 * From a whole HTTP answer to a completion, or to the error that it stands for. Pure.
 *
 * @module
 */
import { mayBeInexact, parseExact } from "../json/json.ts";
import { StreamAccumulator } from "../chat/events.ts";
import { FlexLLMError, MalformedResponseError, type PartialCompletion } from "../errors.ts";
import { parseEventStream } from "../transport/event_stream.ts";
import type { Completion, Endpoint, Protocol, StreamDecoder } from "./protocol.ts";
import { embeddedError, notJsonError, statusError } from "./response_error.ts";

/** The parts of an answer that are read here. */
export interface AnswerParts {
  status: number;
  headers: Headers;
  body: string;
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Throws the error for an answer with a status that is not a success. */
export function throwStatusError(
  provider: Protocol,
  answer: AnswerParts,
  endpoint?: Endpoint,
): never {
  const { status, headers, body } = answer;
  const objects = parseEventStream(body)?.map(tryParse) ?? [tryParse(body)];
  const error = objects.map((object) => provider.decodeError(object)).find((error) => error);
  throw statusError(status, headers, body, error, endpoint);
}

/**
 * Parses the body of an answer.
 *
 * @throws {FlexLLMError} for an error status, an error object, or a body that is not JSON
 */
export function readAnswer(
  provider: Protocol,
  answer: AnswerParts,
  endpoint?: Endpoint,
): unknown {
  if (answer.status < 200 || answer.status > 299) throwStatusError(provider, answer, endpoint);
  const raw = parseBody(answer);
  throwEmbeddedError(provider, answer, raw, endpoint);
  return raw;
}

function parseBody({ status, headers, body }: AnswerParts): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw notJsonError(status, headers, body, cause);
  }
}

function throwEmbeddedError(
  provider: Protocol,
  { headers }: AnswerParts,
  raw: unknown,
  endpoint: Endpoint | undefined,
): void {
  const error = provider.decodeError(raw);
  if (error === undefined) return;
  const id = headers.get("x-request-id") ?? undefined;
  throw embeddedError(error, id, partialOf(provider, raw, endpoint), endpoint);
}

/** The rest of an answer that is an error. */
function partialOf(
  provider: Protocol,
  raw: unknown,
  endpoint: Endpoint | undefined,
): PartialCompletion | undefined {
  try {
    const { content, thinking, usage } = provider.decode(raw, endpoint);
    return { content, thinking, usage };
  } catch (error) {
    return error instanceof FlexLLMError ? error.partial : undefined;
  }
}

/**
 * Decodes a plain answer, which may be an event stream: some servers always stream.
 *
 * @throws {FlexLLMError} for an error status, an error object, or a body that is not a completion
 */
export function decodeAnswer(
  provider: Protocol,
  answer: AnswerParts,
  endpoint?: Endpoint,
): { completion: Completion; raw: unknown } {
  if (answer.status < 200 || answer.status > 299) throwStatusError(provider, answer, endpoint);
  const events = parseEventStream(answer.body);
  if (events !== undefined) return decodeEvents(provider, events, endpoint);
  const raw = parseBody(answer);
  throwEmbeddedError(provider, answer, raw, endpoint);
  const body = provider.exactNumbers && mayBeInexact(answer.body) ? parseExact(answer.body) : raw;
  return { completion: provider.decode(body, endpoint), raw };
}

function decodeEvents(
  provider: Protocol,
  events: readonly string[],
  endpoint: Endpoint | undefined,
): { completion: Completion; raw: unknown } {
  const decoder = provider.streamDecoder(endpoint);
  const total = new StreamAccumulator();
  try {
    for (const data of events) {
      for (const event of decoder.push(data)) total.add(event);
      if (decoder.ended) break;
    }
  } catch (error) {
    throwIncomplete(decoder, endpoint, total, error);
  }
  throwIncomplete(decoder, endpoint, total);
  const { model = "", cost, serviceTier, billed, raw = { model } } = decoder;
  const native = decoder.native();
  return { completion: { ...total.completion(), model, native, cost, serviceTier, billed }, raw };
}

/**
 * Throws when a stream that is over ended with an error, or before its answer was complete.
 *
 * @param received what to keep of it in the error, unless the caller does that
 * @param thrown what the decoder threw, if that ended it
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
    const kept = partial && { ...partial, usage: usage ?? partial.usage };
    throw embeddedError(error, undefined, kept, endpoint);
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
