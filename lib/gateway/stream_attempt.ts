/**
 * Sends a call to its endpoint once and passes the stream on to the client, chunk by chunk.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { EndpointClient } from "../client/endpoint_client.ts";
import { AbortedError, type FlexLLMError } from "../errors.ts";
import type { Completion } from "../protocols/protocol.ts";
import type { Grant } from "../scheduling/grant.ts";
import { BodyReader } from "../transport/body_reader.ts";
import { Exchange } from "../transport/http.ts";
import { readBody } from "../transport/read_body.ts";
import type { CallFlow, EncodedFor } from "./call_flow.ts";
import type { ClientStream } from "./client_stream.ts";
import type { LaneStream } from "./lane.ts";
import { type PlainAnswer, throwRefused } from "./plain_attempt.ts";
import { commitAnswer, commitLost } from "./settlement.ts";

/** Maximum bytes that are read at once: less than may wait for the client. */
const PART = 16 * 1024;

/** A complete answer that was streamed, and its cost. */
export type StreamedAnswer = Pick<PlainAnswer, "encoded" | "cost"> & {
  readonly completion: Completion;
  readonly raw: unknown;
};

const NO_BYTES = new Uint8Array();

/**
 * Milliseconds after which a stream lets others run. Where the answer arrives faster than it is passed on, no read
 * waits, and the gateway would not notice a client that leaves.
 */
const LONGEST_TURN = 0.5;

/** One attempt at a streamed answer. */
class StreamAttempt {
  readonly #flow: CallFlow;
  readonly #grant: Grant<EndpointClient>;
  readonly #out: ClientStream;
  readonly #encoded: EncodedFor;
  readonly #exchange: Exchange;
  /** Bytes for the client that arrived before the first content. */
  #held: Uint8Array[] = [];
  stream: LaneStream | undefined;

  constructor(
    flow: CallFlow,
    grant: Grant<EndpointClient>,
    out: ClientStream,
    encoded: EncodedFor,
  ) {
    this.#flow = flow;
    this.#grant = grant;
    this.#out = out;
    this.#encoded = encoded;
    this.#exchange = new Exchange(encoded.request.encoded.url, flow.signal);
  }

  /** Sends the request and passes the answer on until it ends. */
  async run(): Promise<LaneStream> {
    const exchange = this.#exchange;
    let reader: BodyReader | undefined;
    let isComplete = false;
    try {
      exchange.limit(
        this.#flow.state.pipeline.options.thinkingTimeout,
        "no first event of the answer",
      );
      const { lane, request } = this.#encoded;
      const { fetch } = request.endpoint.connection;
      const response = await exchange.open(request.encoded, fetch);
      this.#flow.record.response = response;
      if (!response.ok) {
        const { status, headers } = response;
        const body = await exchange.orEnd(readBody(response), fetch);
        throwRefused(this.#encoded, { status, headers, body });
      }
      request.endpoint.observe(response, undefined);
      const stream = this.stream = lane.stream(this.#flow.call, request, response.headers);
      const opened = reader = new BodyReader(response, PART);
      exchange.onEnd(() => opened.close());
      await this.#pump(reader, stream);
      isComplete = stream.failure === undefined;
      if (stream.failure !== undefined) throw stream.failure;
      return stream;
    } catch (error) {
      const failure = exchange.error(error);
      this.#endWith(this.#flow.reasonOf(failure));
      throw failure;
    } finally {
      if (!isComplete) exchange.end(new AbortedError());
      exchange.close();
      reader?.close();
    }
  }

  async #pump(reader: BodyReader, stream: LaneStream): Promise<void> {
    const exchange = this.#exchange;
    const { record, state } = this.#flow;
    const { thinkingTimeout, timeout } = state.pipeline.options;
    let turnedAt = performance.now();
    while (!stream.ended) {
      const chunk = await reader.read();
      record.waitFor(undefined);
      // A connection that we have closed ends like a complete one.
      exchange.throwIfEnded();
      const bytes = chunk === undefined ? stream.end() : stream.push(chunk);
      if (bytes !== undefined && bytes.length > 0) {
        // The chunk's memory is used again by the next read.
        const own = bytes.buffer === chunk?.buffer ? bytes.slice() : bytes;
        const slow = this.#pass(own, stream);
        if (slow !== undefined) {
          // The time that the client takes is not the server's.
          exchange.pause();
          record.waitFor("reader");
          await slow;
        }
      }
      if (chunk === undefined || stream.failure !== undefined) break;
      if (performance.now() - turnedAt > LONGEST_TURN) {
        await new Promise((resolve) => setImmediate(resolve));
        turnedAt = performance.now();
      }
      if (stream.hasContent) exchange.limit(timeout, "no further part of the answer");
      else exchange.limit(thinkingTimeout, "no first part of the answer");
      record.waitFor("upstream");
    }
    record.waitFor(undefined);
    // An answer without any content is one as well.
    if (stream.failure === undefined) this.#begin();
  }

  /** Passes bytes on, or holds them while the call can still move to another endpoint. */
  #pass(bytes: Uint8Array, stream: LaneStream): Promise<void> | undefined {
    if (!stream.hasContent) {
      this.#held.push(bytes);
      return undefined;
    }
    this.#begin();
    return this.#out.write(bytes);
  }

  /** Begins to answer: the call stays at this endpoint. */
  #begin(): void {
    if (this.#grant.isAnswered) return;
    this.#grant.answered();
    this.#flow.streamHeaders = this.stream?.headers;
    this.#flow.record.firstToken();
    this.#flow.deadlines.answered();
    for (const bytes of this.#held) this.#out.write(bytes);
    this.#held = [];
  }

  /** Prepares the end of a stream that has a part of the answer: an error event, unless the provider sent one. */
  #endWith(error: FlexLLMError): void {
    const { stream } = this;
    if (!this.#grant.isAnswered || stream === undefined) return;
    this.#out.lastBytes = stream.failure === undefined ? stream.fail(error) : NO_BYTES;
  }
}

/**
 * Sends a call once and passes its stream on.
 *
 * @throws {FlexLLMError} when it fails; what that may cost is committed
 */
export async function streamAttempt(
  flow: CallFlow,
  grant: Grant<EndpointClient>,
  out: ClientStream,
): Promise<StreamedAnswer> {
  const { target } = grant;
  const encoded = flow.encode(target);
  const { model } = encoded.request;
  flow.record.sending(target, model, encoded.lane.name);
  const attempt = new StreamAttempt(flow, grant, out, encoded);
  let stream: LaneStream;
  try {
    stream = await attempt.run();
  } catch (error) {
    flow.record.waitFor(grant.isAnswered ? undefined : "queue");
    const received = grant.isAnswered ? attempt.stream?.received : undefined;
    await commitLost(flow, grant, model, error, received);
    throw error;
  }
  const { model: actual = "", raw = { model: actual }, ...end } = stream.completed ?? {};
  const completion = { ...stream.received.completion(), model: actual, ...end };
  const cost = await commitAnswer(flow, grant, model, completion);
  return { encoded, cost, completion, raw };
}
