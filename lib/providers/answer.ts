/**
 * From a whole HTTP answer to a completion, or to the error that it stands for. Pure.
 *
 * @module
 */
import { StreamAccumulator } from "../chat/stream_events.ts";
import { FlexLLMError, MalformedResponseError, type PartialCompletion } from "../errors.ts";
import { parseEventStream } from "../event_stream.ts";
import type { Completion, Endpoint, Provider, StreamDecoder } from "./provider.ts";
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
export function throwStatusError(provider: Provider, answer: AnswerParts): never {
  const { status, headers, body } = answer;
  const objects = parseEventStream(body)?.map(tryParse) ?? [tryParse(body)];
  const error = objects.map((object) => provider.decodeError(object)).find((error) => error);
  throw statusError(status, headers, body, error);
}

/**
 * Parses the body of an answer.
 *
 * @throws {FlexLLMError} for an error status, an error object, or a body that is not JSON
 */
export function readAnswer(provider: Provider, answer: AnswerParts): unknown {
  if (answer.status < 200 || answer.status > 299) throwStatusError(provider, answer);
  const raw = parseBody(answer);
  throwEmbeddedError(provider, answer, raw);
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
  provider: Provider,
  { headers }: AnswerParts,
  raw: unknown,
  endpoint?: Endpoint,
): void {
  const error = provider.decodeError(raw);
  if (error === undefined) return;
  const id = headers.get("x-request-id") ?? undefined;
  throw embeddedError(error, id, partialOf(provider, raw, endpoint));
}

/** What an answer that is an error holds beside it. */
function partialOf(
  provider: Provider,
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
 * Decodes a plain answer; a stream of events is one as well, since some servers stream whatever they were
 * asked.
 *
 * @throws {FlexLLMError} for an error status, an error object, or a body that is not a completion
 */
export function decodeAnswer(
  provider: Provider,
  answer: AnswerParts,
  endpoint?: Endpoint,
): { completion: Completion; raw: unknown } {
  if (answer.status < 200 || answer.status > 299) throwStatusError(provider, answer);
  const events = parseEventStream(answer.body);
  if (events !== undefined) return decodeEvents(provider, events, endpoint);
  const raw = parseBody(answer);
  throwEmbeddedError(provider, answer, raw, endpoint);
  return { completion: provider.decode(raw, endpoint), raw };
}

function decodeEvents(
  provider: Provider,
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
    if (error instanceof FlexLLMError) error.partial ??= total.partial();
    throw error;
  }
  throwIncomplete(decoder, total);
  const { content, thinking, refusal, citations, logprobs, toolCalls, usage } = total;
  const { model = "", cost, serviceTier, billed, raw = { model } } = decoder;
  const completion: Completion = {
    content,
    thinking,
    refusal,
    citations,
    logprobs,
    toolCalls,
    usage,
    finishReason: total.finishReason ?? "other",
    model,
    native: decoder.native(),
    cost,
    serviceTier,
    billed,
  };
  return { completion, raw };
}

/**
 * Throws when a stream that is over ended with an error, or before its answer was complete.
 *
 * @param received what to keep of it in the error, unless the caller does that
 */
export function throwIncomplete(
  decoder: StreamDecoder,
  received: StreamAccumulator | undefined,
): void {
  const partial = received?.partial();
  if (decoder.failure !== undefined) {
    const { error, usage } = decoder.failure;
    throw embeddedError(error, undefined, partial && { ...partial, usage: usage ?? partial.usage });
  }
  if (!decoder.complete) {
    throw new MalformedResponseError("the stream ended before the answer was complete", {
      retryable: true,
      partial,
    });
  }
}
