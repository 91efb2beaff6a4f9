/**
 * Translates one stream from the provider's format to the client's, chunk by chunk.
 *
 * @module
 */
import { eventsOf, StreamAccumulator, type StreamEvent } from "../../../chat/events.ts";
import { decodeBatch } from "../../../client/read_stream.ts";
import { FlexLLMError, InternalError } from "../../../errors.ts";
import { decodeResponse, throwIncomplete } from "../../../protocols/decode_response.ts";
import { SERVER_SENT_EVENTS } from "../../../protocols/event_framing.ts";
import type { StreamDecoder } from "../../../protocols/protocol.ts";
import type { ServerAnswerEvent, ServerEvent, StreamEncoder } from "../../../protocols/serve.ts";
import { redact, redactAnswer } from "../../../redact.ts";
import { EventReader } from "../../../transport/event_reader.ts";
import { charsetOf } from "../../../transport/read_body.ts";
import type { GatewayCall } from "../../gateway_call.ts";
import { serverError } from "../../http/error_response.ts";
import type { LaneRequest, LaneStream, LaneStreamEnd } from "../../lane.ts";
import { answerImages } from "./answer_images.ts";
import { AnswerEvents } from "./answer_events.ts";
import { callExtrasOf, carriedMessage, withOrigin } from "./carried_message.ts";
import { ClientTools } from "./client_tools.ts";
import { headOf } from "./translate_answer.ts";

const BYTES = new TextEncoder();

/** The events that are part of the answer itself. */
const CONTENT: ReadonlySet<StreamEvent["type"]> = new Set([
  "text",
  "thinking",
  "tool_call",
  "refusal",
]);

/** Translates one stream. */
export class TranslatedStream implements LaneStream {
  readonly received = new StreamAccumulator();
  hasContent = false;
  ended = false;
  failure: FlexLLMError | undefined;
  completed: LaneStreamEnd | undefined;
  readonly #call: GatewayCall;
  readonly #request: LaneRequest;
  readonly #headers: Headers;
  readonly #reader: EventReader;
  readonly #decoder: StreamDecoder;
  readonly #encoder: StreamEncoder;
  readonly #answer: AnswerEvents;
  /** Sent at the end, since usage and signatures may come after it. */
  #finish: StreamEvent | undefined;
  #hasWritten = false;

  constructor(call: GatewayCall, request: LaneRequest, headers: Headers) {
    const { protocol, endpoint, isThinkingRequested } = request;
    this.#call = call;
    this.#request = request;
    this.#headers = headers;
    this.#reader = new EventReader(charsetOf({ headers }));
    this.#decoder = protocol.streamDecoder(endpoint.connection.endpoint, isThinkingRequested);
    this.#encoder = call.server.streamEncoder(headOf(call), call.request);
    this.#answer = new AnswerEvents(new ClientTools(call, request));
  }

  push(chunk: Uint8Array): Uint8Array | undefined {
    if (this.ended) return undefined;
    try {
      return bytesOf(this.#receive(this.#reader.push(chunk)));
    } catch (error) {
      return bytesOf(this.#stop(error));
    }
  }

  end(): Uint8Array | undefined {
    if (this.ended) return undefined;
    try {
      let text = this.#receive(this.#reader.end());
      if (this.ended) return bytesOf(text);
      const { document } = this.#reader;
      text += document === undefined ? this.#complete() : this.#receiveDocument(document);
      return bytesOf(text);
    } catch (error) {
      return bytesOf(this.#stop(error));
    }
  }

  fail(error: FlexLLMError): Uint8Array {
    this.ended = true;
    this.failure = error;
    error.partial ??= this.received.partial();
    const text = this.#write(this.#encoder.fail(serverError(error)));
    return BYTES.encode(text + this.#framing.end);
  }

  get #framing() {
    return this.#call.context.framing ?? SERVER_SENT_EVENTS;
  }

  /** Translates a batch of the provider's events up to the first error in it. */
  #receive(batch: readonly string[]): string {
    if (batch.length === 0) return "";
    const decoder = this.#decoder;
    const { events, error } = decodeBatch(batch, decoder, this.#request.endpoint.secrets);
    const text = this.#translate(events);
    if (error === undefined && !decoder.ended) return text;
    try {
      return text + this.#complete(error);
    } catch (error) {
      return text + this.#stop(error);
    }
  }

  #translate(events: readonly StreamEvent[]): string {
    const ready: StreamEvent[] = [];
    const { includeThinking } = this.#call.request;
    for (const event of events) {
      // Calls are received in the client's form, in which the cache stores them.
      if (event.type !== "tool_call") this.received.add(event);
      if (CONTENT.has(event.type)) this.hasContent = true;
      if (event.type === "usage") ready.push(event);
      else if (event.type === "finish") {
        this.#answer.end(ready);
        this.#finish = event;
      } else if (includeThinking || event.type !== "thinking") this.#answer.push(event, ready);
    }
    return ready.length === 0 ? "" : this.#write(this.#send(ready));
  }

  #send(ready: readonly StreamEvent[]): ServerEvent[] {
    for (const event of ready) if (event.type === "tool_call") this.received.add(event);
    return this.#encoder.push(this.#withExtras(ready));
  }

  /** Adds the extra fields of calls that start, which are known only from the provider's own message. */
  #withExtras(events: readonly StreamEvent[]): readonly ServerAnswerEvent[] {
    const isCall = (event: StreamEvent) => event.type === "tool_call" && event.name !== undefined;
    if (this.#request.protocol.name !== "gemini" || !events.some(isCall)) return events;
    const extras = callExtrasOf(this.#decoder.providerMessage());
    return events.map((event) =>
      event.type === "tool_call" && event.name !== undefined
        ? { ...event, callExtras: extras?.[event.index] }
        : event
    );
  }

  /** A server that does not stream sends a whole answer. */
  #receiveDocument(body: string): string {
    const { protocol, endpoint: { connection, secrets } } = this.#request;
    const shown = redactAnswer({ status: 200, headers: this.#headers, body }, secrets);
    const { completion, raw } = decodeResponse(protocol, shown, connection.endpoint);
    const text = this.#translate(eventsOf(completion));
    const { model, providerMessage, cost, serviceTier, billed } = completion;
    return text + this.#close({ model, providerMessage, cost, serviceTier, billed, raw });
  }

  /**
   * Completes the answer.
   *
   * @param error the error that ended the provider's stream
   * @throws {FlexLLMError} if it is not complete
   */
  #complete(error?: unknown): string {
    const decoder = this.#decoder;
    const { failure } = decoder;
    if (failure !== undefined) {
      const { secrets } = this.#request.endpoint;
      failure.error.message = redact(failure.error.message ?? "", ...secrets) || undefined;
      if (failure.usage) this.received.add({ type: "usage", usage: failure.usage });
    }
    throwIncomplete(decoder, this.#request.endpoint.connection.endpoint, this.received, error);
    const { model, cost, serviceTier, billed, raw } = decoder;
    const providerMessage = decoder.providerMessage();
    return this.#close({ model, providerMessage, cost, serviceTier, billed, raw });
  }

  #close(completed: LaneStreamEnd): string {
    this.ended = true;
    const providerMessage = withOrigin(completed.providerMessage, this.#request);
    this.completed = { ...completed, providerMessage };
    const encoder = this.#encoder;
    const ready: StreamEvent[] = [];
    this.#answer.end(ready);
    const events = ready.length === 0 ? [] : this.#send(ready);
    const hasToolCalls = this.received.toolCalls.length > 0;
    const images = answerImages(completed.providerMessage);
    if (images.length > 0) events.push(...encoder.images?.(images) ?? []);
    const carried = carriedMessage(completed.providerMessage, this.#request, hasToolCalls);
    if (carried !== undefined) events.push(...encoder.carry(carried));
    if (this.#finish !== undefined) events.push(...encoder.push([this.#finish]));
    events.push(...encoder.end());
    return this.#write(events) + this.#framing.end;
  }

  /** Ends the stream with an error. Before any content there is nothing for the client to read. */
  #stop(error: unknown): string {
    const failure = error instanceof FlexLLMError ? error : new InternalError(error);
    failure.partial ??= this.received.partial();
    this.ended = true;
    this.failure = failure;
    if (!this.hasContent) return "";
    return this.#write(this.#encoder.fail(serverError(failure))) + this.#framing.end;
  }

  #write(events: readonly ServerEvent[]): string {
    let text = "";
    for (const event of events) {
      text += this.#framing.frame(event, !this.#hasWritten);
      this.#hasWritten = true;
    }
    return text;
  }
}

function bytesOf(text: string): Uint8Array | undefined {
  return text === "" ? undefined : BYTES.encode(text);
}
