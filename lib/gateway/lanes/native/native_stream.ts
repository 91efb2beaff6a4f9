/**
 * Passes a stream on in the provider's own bytes, event by event.
 *
 * @module
 */
import { eventsOf, type StreamAccumulator } from "../../../chat/events.ts";
import { FlexLLMError, InternalError } from "../../../errors.ts";
import { asObject, type Json, parseExact, stringifyExact, tryParse } from "../../../json/json.ts";
import { SERVER_SENT_EVENTS } from "../../../protocols/event_framing.ts";
import type { ServerEvent } from "../../../protocols/serve.ts";
import { redact } from "../../../redact.ts";
import { EventStreamParser, isDocument } from "../../../transport/event_stream.ts";
import { charsetOf, MAX_ANSWER_BYTES, tooLarge } from "../../../transport/read_body.ts";
import type { GatewayCall } from "../../gateway_call.ts";
import { errorEvent } from "../../http/error_response.ts";
import type { LaneRequest, LaneStream, LaneStreamEnd } from "../../lane.ts";
import { headersToClient } from "./client_headers.ts";
import { EventBlocks, joinBytes, splitBlocks } from "./event_blocks.ts";
import { requestsUsage } from "./native_request.ts";
import { wholeAsStream } from "./other_form.ts";
import { StreamTap } from "./stream_tap.ts";
import { decodeWhole } from "./whole_answer.ts";

const utf8 = new TextDecoder();
const encoder = new TextEncoder();

/** Matches texts that may have a chunk without choices, which the chunk with the token counts is. */
const NO_CHOICES = /"choices"\s*:\s*\[\s*\]/;

/** Whether an event only has the token counts that the gateway asked for. */
function isUsageOnly(data: string): boolean {
  const chunk = asObject(tryParse(data));
  return Array.isArray(chunk?.choices) && chunk.choices.length === 0 &&
    asObject(chunk.usage) !== undefined;
}

/** One stream of the native lane. Bytes are held back until their event is complete. */
export class NativeStream implements LaneStream {
  readonly #call: GatewayCall;
  readonly #request: LaneRequest;
  readonly #headers: Headers;
  readonly #tap: StreamTap;
  readonly #blocks = new EventBlocks();
  readonly #parser = new EventStreamParser((data) => this.#onData(data), MAX_ANSWER_BYTES);
  /** Whether the client gets the stream without its usage. */
  readonly #hidesUsage: boolean;
  /** Whether the client gets the events in another framing. */
  readonly #isReframed: boolean;
  /** The data of the events that are being parsed. */
  #data: string[] = [];
  /** The data of the event that reported an error. */
  #failedData: string | undefined;
  #isFirst = true;
  /** The beginning of the body, until it is clear what it is; all of it, for a document. */
  #start: Uint8Array[] | undefined = [];
  #startBytes = 0;
  #isDocument = false;
  #completed: LaneStreamEnd | undefined;

  constructor(call: GatewayCall, request: LaneRequest, headers: Headers) {
    this.#call = call;
    this.#request = request;
    this.#headers = headers;
    this.#tap = new StreamTap(request);
    this.#hidesUsage = requestsUsage(call, request.endpoint);
    this.#isReframed = this.#framing !== SERVER_SENT_EVENTS;
  }

  get headers(): Record<string, string> {
    return headersToClient(this.#headers);
  }

  get hasContent(): boolean {
    return this.#tap.hasContent;
  }

  get ended(): boolean {
    return this.#tap.ended;
  }

  get failure(): FlexLLMError | undefined {
    return this.#tap.failure;
  }

  get received(): StreamAccumulator {
    return this.#tap.received;
  }

  get completed(): LaneStreamEnd | undefined {
    return this.#completed ?? this.#tap.completed;
  }

  push(chunk: Uint8Array): Uint8Array | undefined {
    if (this.#start !== undefined) return this.#pushStart(chunk);
    const complete = this.#blocks.take(chunk);
    if (this.#blocks.heldBytes > MAX_ANSWER_BYTES) {
      this.#tap.failure ??= tooLarge("an event of the answer", MAX_ANSWER_BYTES);
      return this.hasContent ? this.fail(this.#tap.failure) : undefined;
    }
    return complete === undefined ? undefined : this.#pass(complete);
  }

  end(): Uint8Array | undefined {
    if (this.#isDocument) return this.#endDocument();
    if (this.#tap.failure !== undefined) return undefined;
    const rest = joinBytes([...this.#start ?? [], this.#blocks.rest()]);
    this.#start = undefined;
    const last = this.#pass(rest, true);
    this.#tap.end();
    const { failure } = this.#tap;
    // The rest of a broken stream is half of an event, or an error without the form of one.
    if (failure !== undefined && !this.#tap.isReported) return this.fail(failure);
    if (failure === undefined) this.#tap.hasContent = true;
    if (this.#framing.end === "") return last;
    const end = encoder.encode(this.#isFirst ? `[${this.#framing.end}` : this.#framing.end);
    return last === undefined ? end : joinBytes([last, end]);
  }

  fail(error: FlexLLMError): Uint8Array {
    this.#tap.failure ??= error;
    return encoder.encode(this.#frame(errorEvent(this.#call, error)) + this.#framing.end);
  }

  get #framing() {
    return this.#call.context.framing ?? SERVER_SENT_EVENTS;
  }

  #frame(event: ServerEvent): string {
    const text = this.#framing.frame(event, this.#isFirst);
    this.#isFirst = false;
    return text;
  }

  /** Finds out whether the body is a document, whatever its content type says. */
  #pushStart(chunk: Uint8Array): Uint8Array | undefined {
    // The memory of a chunk belongs to its reader.
    this.#start!.push(chunk.slice());
    this.#startBytes += chunk.length;
    if (this.#startBytes > MAX_ANSWER_BYTES) {
      this.#tap.failure ??= tooLarge("the answer", MAX_ANSWER_BYTES);
      return undefined;
    }
    if (this.#isDocument) return undefined;
    const start = utf8.decode(chunk.subarray(0, 64));
    if (start.trim() === "") return undefined;
    this.#isDocument = isDocument(start);
    if (this.#isDocument) return undefined;
    const held = this.#start!;
    this.#start = undefined;
    return this.push(held.length === 1 ? chunk : joinBytes(held));
  }

  /** Passes complete events on. */
  #pass(bytes: Uint8Array, isLast = false): Uint8Array | undefined {
    if (bytes.length === 0) return undefined;
    const hadFailure = this.failure !== undefined;
    const text = utf8.decode(bytes);
    const edited = this.#edit(text, isLast);
    const { failure } = this.#tap;
    if (failure !== undefined && (hadFailure || !this.hasContent)) return undefined;
    if (failure === undefined && edited === undefined) return bytes;
    let passed = edited ?? text;
    if (failure !== undefined && !hadFailure && !this.#isReframed) {
      passed = this.#upToFailure(passed);
    }
    if (this.#tap.showsSecret) passed = redact(passed, ...this.#request.endpoint.secrets);
    // Nothing comes after an error.
    if (failure !== undefined && !isLast) passed += this.#framing.end;
    return passed === "" ? undefined : encoder.encode(passed);
  }

  #feed(text: string, isLast: boolean): void {
    if (isLast) this.#parser.end(text);
    else this.#parser.feed(text);
  }

  /** Reads the events in `text`. Returns what the client gets instead of it; `undefined` for the same. */
  #edit(text: string, isLast: boolean): string | undefined {
    this.#data = [];
    if (this.#isReframed) {
      this.#feed(text, isLast);
      return this.#data.map((data) => this.#frame({ data })).join("");
    }
    if (!this.#hidesUsage || !NO_CHOICES.test(text)) {
      this.#feed(text, isLast);
      return undefined;
    }
    let edited = "";
    for (const block of splitBlocks(text)) {
      this.#data = [];
      this.#feed(block, isLast);
      if (!this.#data.some(isUsageOnly)) edited += block;
    }
    return edited;
  }

  #onData(data: string): void {
    if (this.failure !== undefined) return;
    this.#data.push(data);
    this.#tap.push(data);
    if (this.failure !== undefined) this.#failedData = data;
  }

  /** The events up to the one that reported an error: a `[DONE]` after it would look like a complete answer. */
  #upToFailure(text: string): string {
    let isFound = false;
    const parser = new EventStreamParser(
      (data) => isFound ||= data === this.#failedData,
      MAX_ANSWER_BYTES,
    );
    let passed = "";
    for (const block of splitBlocks(text)) {
      parser.feed(block);
      passed += block;
      if (isFound) break;
    }
    return passed;
  }

  /** Streams a document to the client, or fails if it is not an answer. */
  #endDocument(): Uint8Array | undefined {
    try {
      const body = new TextDecoder(charsetOf({ headers: this.#headers } as Response))
        .decode(joinBytes(this.#start!));
      const events = this.#chunksOf(body) ?? this.#eventsOf(body);
      if (this.failure !== undefined) return undefined;
      this.#tap.hasContent = true;
      const text = events.map((event) => this.#frame(event)).join("");
      return encoder.encode(text + this.#framing.end);
    } catch (error) {
      return this.fail(error instanceof FlexLLMError ? error : new InternalError(error));
    }
  }

  /** The elements of a JSON array, Gemini's other framing of streams. */
  #chunksOf(body: string): ServerEvent[] | undefined {
    if (this.#request.protocol.name !== "gemini" || !body.trimStart().startsWith("[")) {
      return undefined;
    }
    if (tryParse(body) === undefined) return undefined;
    const chunks = (parseExact(body) as Json[]).map((chunk) => ({ data: stringifyExact(chunk) }));
    for (const { data } of chunks) this.#tap.push(data);
    this.#tap.end();
    return chunks;
  }

  #eventsOf(body: string): ServerEvent[] {
    const response = { status: 200, headers: this.#headers, body };
    const { completion, raw } = decodeWhole(this.#request, response);
    for (const event of eventsOf(completion)) this.received.add(event);
    const { model, providerMessage, cost, serviceTier, billed } = completion;
    this.#completed = { model, providerMessage, cost, serviceTier, billed, raw };
    // A whole answer of Gemini's is a valid chunk.
    return this.#request.protocol.name === "gemini"
      ? [{ data: stringifyExact(parseExact(body)) }]
      : wholeAsStream(this.#call, completion);
  }
}
