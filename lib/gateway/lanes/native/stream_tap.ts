/**
 * Reads along with a stream that is passed on: for content, usage, errors, and whether the answer is complete.
 * What it does not understand it ignores: the client may.
 *
 * @module
 */
import { StreamAccumulator, type StreamEvent } from "../../../chat/events.ts";
import { FlexLLMError, MalformedResponseError } from "../../../errors.ts";
import { tryParse } from "../../../json/json.ts";
import { throwIncomplete } from "../../../protocols/decode_response.ts";
import type { StreamDecoder } from "../../../protocols/protocol.ts";
import { redact } from "../../../redact.ts";
import type { LaneRequest, LaneStreamEnd } from "../../lane.ts";
import { isForClient, unknownCompletion } from "./whole_answer.ts";

/**
 * Events without any content that the decoder knows, after which the stream is passed on anyway: it has
 * content of an unknown kind, or text that only becomes clear later.
 */
const MAX_SILENT_EVENTS = 16;

/** Matches chunks of Chat Completions with text, which the decoder may hold back: it could be thinking. */
const TEXT = /"content"\s*:\s*"[^"]/;

function isContent({ type }: StreamEvent): boolean {
  return type !== "usage" && type !== "logprobs";
}

/** Reads the events of one stream. */
export class StreamTap {
  /** See {@link LaneStream.hasContent}. */
  hasContent = false;
  /** See {@link LaneStream.failure}. */
  failure: FlexLLMError | undefined;
  /** See {@link LaneStream.received}. */
  readonly received = new StreamAccumulator();
  /** Whether the failure is the end of an answer that is otherwise complete, and part of it. */
  isReported = false;
  /** Whether the server repeated one of our secrets in an error. */
  showsSecret = false;
  readonly #decoder: StreamDecoder;
  readonly #request: LaneRequest;
  #silent = 0;
  /** Whether an event could not be decoded, so that the end of the answer may have been missed. */
  #isUnsure = false;
  /** Whether the answer ended in a way that is no completion, but meant for the client. */
  #isOver = false;

  constructor(request: LaneRequest) {
    this.#request = request;
    this.#decoder = request.protocol.streamDecoder(
      request.endpoint.connection.endpoint,
      request.isThinkingRequested,
    );
  }

  /** Whether nothing more will come. */
  get ended(): boolean {
    return this.#decoder.ended || this.failure !== undefined;
  }

  /** The rest of the answer, if it is complete. */
  get completed(): LaneStreamEnd | undefined {
    if (this.failure !== undefined) return undefined;
    if (this.#isOver || (this.#isUnsure && !this.#decoder.complete)) {
      return { model: this.#decoder.model };
    }
    if (!this.#decoder.complete) return undefined;
    const { model, cost, serviceTier, billed, raw } = this.#decoder;
    return {
      model,
      providerMessage: this.#decoder.providerMessage(),
      cost,
      serviceTier,
      billed,
      raw,
    };
  }

  /** Reads the data of one event. */
  push(data: string): void {
    if (this.ended || this.#isOver) return;
    const events: StreamEvent[] = [];
    try {
      this.#decoder.push(data, events);
    } catch (error) {
      this.#onError(error, data);
      return;
    }
    for (const event of events) {
      this.received.add(event);
      if (isContent(event)) this.hasContent = true;
    }
    if (this.hasContent) return;
    const isText = this.#request.protocol.name === "chat" && TEXT.test(data);
    if (isText || ++this.#silent > MAX_SILENT_EVENTS) this.hasContent = true;
  }

  /** Notes the end of the stream. */
  end(): void {
    if (this.failure !== undefined || this.#isOver) return;
    const { failure } = this.#decoder;
    if (failure?.error.message !== undefined) {
      failure.error.message = redact(failure.error.message, ...this.#request.endpoint.secrets);
    }
    try {
      if (failure !== undefined || !this.#isUnsure) {
        throwIncomplete(this.#decoder, this.#request.endpoint.connection.endpoint, this.received);
      }
    } catch (error) {
      if (failure?.usage) this.received.add({ type: "usage", usage: failure.usage });
      this.isReported = failure !== undefined;
      this.failure = error as FlexLLMError;
    }
  }

  #onError(error: unknown, data: string): void {
    const isEmptyEnd = data === "[DONE]";
    if (
      !(error instanceof FlexLLMError) || (error instanceof MalformedResponseError && !isEmptyEnd)
    ) {
      // Without valid JSON it may be an event that was cut off.
      if (tryParse(data) !== undefined) this.#isUnsure = this.hasContent = true;
      return;
    }
    const usage = this.#decoder.failure?.usage ?? error.partial?.usage;
    if (usage) this.received.add({ type: "usage", usage });
    const isLast = isForClient(this.#request.protocol, tryParse(data), error);
    if (!this.hasContent && isLast && !error.retryable) {
      const { finishReason } = unknownCompletion(error);
      this.received.add({ type: "finish", finishReason });
      this.#isOver = this.hasContent = true;
      return;
    }
    this.failure = this.#withoutSecrets(error, data);
    this.failure.partial ??= this.received.partial();
  }

  /** The error of an event; of one that repeats a secret, that of the event without it. */
  #withoutSecrets(error: FlexLLMError, data: string): FlexLLMError {
    const shown = redact(data, ...this.#request.endpoint.secrets);
    if (shown === data) return error;
    this.showsSecret = true;
    try {
      this.#decoder.push(shown, []);
    } catch (redacted) {
      if (redacted instanceof FlexLLMError) return redacted;
    }
    return new MalformedResponseError("the server sent an event that cannot be read");
  }
}
