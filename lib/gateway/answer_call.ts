/**
 * Answers a call: from the cache or an endpoint, whole or as a stream.
 *
 * @module
 */
import type { CacheRequest } from "../cache/response_cache.ts";
import type { ChatResult } from "../chat/result.ts";
import { resultOf } from "../client/attempt.ts";
import { cancelledBy } from "../transport/cancellation.ts";
import { answerHeaders, openingHeaders } from "./answer_headers.ts";
import type { CallFlow } from "./call_flow.ts";
import { ClientStream } from "./client_stream.ts";
import { clientLeft } from "./end_reasons.ts";
import { GatewayError } from "./gateway_error.ts";
import { errorResponse, failedStreamText } from "./http/error_response.ts";
import { keepAliveOf } from "./keep_alive.ts";
import { headersToClient } from "./lanes/native/client_headers.ts";
import { isRepeatable, storedBody } from "./lanes/translated/stored_answer.ts";
import { type PlainAnswer, plainAttempt } from "./plain_attempt.ts";
import { streamAttempt, type StreamedAnswer } from "./stream_attempt.ts";
import { upstreamAnswer } from "./upstream_answer.ts";

const ENCODER = new TextEncoder();

/** Called once when a call has ended. */
export type OnEnd = (status: number | undefined, error: unknown) => void;

/** Answers one call. */
export class CallAnswerer {
  readonly #flow: CallFlow;
  readonly #onEnd: OnEnd;

  constructor(flow: CallFlow, onEnd: OnEnd) {
    this.#flow = flow;
    this.#onEnd = onEnd;
  }

  /** Answers the call. Never rejects. */
  async answer(): Promise<Response> {
    const flow = this.#flow;
    try {
      const { cache } = flow.state;
      const key = cache === undefined ? undefined : flow.cacheRequest();
      if (flow.call.stream) return await this.#streamed(key);
      if (key === undefined) return this.#plain(await this.#send());
      return await this.#plainOrCached(key);
    } catch (error) {
      return this.#failed(flow.reasonOf(error));
    }
  }

  #send(): Promise<PlainAnswer> {
    return this.#flow.run((grant) => plainAttempt(this.#flow, grant));
  }

  async #plainOrCached(key: CacheRequest): Promise<Response> {
    const flow = this.#flow;
    const { responses } = flow.state.cache!;
    let own: PlainAnswer | undefined;
    let isLeader = false;
    const fetch = async () => {
      isLeader = true;
      flow.record.cache = "miss";
      flow.trace?.lookedUp(false);
      own = await this.#send();
      const { encoded, cost, answer: { completion, raw } } = own;
      return { result: cachedResult({ encoded, cost, completion, raw }), request: key };
    };
    let result: ChatResult;
    flow.trace?.lookingUp();
    try {
      result = await responses.getOrFetch([key], fetch, flow.signal);
    } catch (error) {
      // The refusal of another key's call says nothing about this one.
      const isOthers = !isLeader && error instanceof GatewayError && !flow.signal.aborted;
      if (!isOthers) throw error;
      ({ result } = await fetch());
    }
    if (own === undefined && isCut(result)) {
      // Another key's budget may have limited the answer.
      ({ result } = await fetch());
    }
    return own === undefined ? this.#hit(result) : this.#plain(own);
  }

  #plain({ answer, cost, encoded }: PlainAnswer): Response {
    const flow = this.#flow;
    flow.remember({ encoded, raw: answer.raw });
    this.#onEnd(200, undefined);
    const { body, contentType = "application/json" } = answer;
    const headers = answerHeaders(flow, cost);
    Object.assign(headers, answer.headers);
    headers["content-type"] = contentType;
    return new Response(body, { headers });
  }

  async #streamed(key: CacheRequest | undefined): Promise<Response> {
    const flow = this.#flow;
    if (key !== undefined) {
      flow.trace?.lookingUp();
      const stored = await flow.state.cache!.responses.get([key]);
      if (stored !== undefined && isRepeatable(flow.call, stored)) return this.#hit(stored);
      flow.record.cache = "miss";
      flow.trace?.lookedUp(false);
    }
    const { call } = flow;
    const out = new ClientStream({
      interval: flow.state.keepAlive,
      keepAlive: keepAliveOf(call),
      respond: (body) => new Response(body, { headers: openingHeaders(flow) }),
      onLeave: () => call.abort(clientLeft()),
    });
    this.#sendStream(out, key);
    return await out.response;
  }

  async #sendStream(out: ClientStream, key: CacheRequest | undefined): Promise<void> {
    const flow = this.#flow;
    const cancellation = cancelledBy(flow.signal, out);
    try {
      const streamed = await flow.run((grant) => streamAttempt(flow, grant, out));
      flow.remember(streamed);
      out.close();
      if (key !== undefined) await flow.state.cache!.responses.put(key, cachedResult(streamed));
      this.#onEnd(200, undefined);
    } catch (error) {
      const reason = flow.reasonOf(error);
      const wasOpen = out.isOpen;
      out.fail(error, () => ENCODER.encode(failedStreamText(flow.call, reason)));
      if (wasOpen) this.#onEnd(200, reason);
    } finally {
      cancellation.remove();
    }
  }

  /** Answers with a stored answer, encoded in the client's format. */
  #hit(result: ChatResult): Response {
    const flow = this.#flow;
    const { call, record } = flow;
    record.cache = "hit";
    record.usage = result.usage;
    record.answer = result;
    flow.trace?.lookedUp(true);
    const body = storedBody(call, result);
    this.#onEnd(200, undefined);
    if (call.stream) return new Response(body, { headers: openingHeaders(flow) });
    const headers = answerHeaders(flow, 0);
    headers["content-type"] = "application/json";
    return new Response(body, { headers });
  }

  #failed(error: unknown): Response {
    const flow = this.#flow;
    const { call } = flow;
    const upstream = upstreamAnswer(error);
    const limits = error instanceof GatewayError ? error.limits : undefined;
    const headers = answerHeaders(flow, undefined, limits);
    const response = upstream === undefined
      ? errorResponse(call.server, error, call.id, headers)
      : passedOn(upstream, headers);
    this.#onEnd(
      flow.signal.aborted && response.status === 499 ? undefined : response.status,
      error,
    );
    return response;
  }
}

/** A provider's error answer for a client of the same format. */
function passedOn(
  { status, headers, body }: { status: number; headers: Headers; body: string },
  own: Record<string, string>,
): Response {
  const passed: Record<string, string> = { ...own, ...headersToClient(headers) };
  for (const name of ["content-type", "retry-after", "retry-after-ms", "x-should-retry"]) {
    const value = headers.get(name);
    if (value !== null) passed[name] = value;
  }
  return new Response(body, { status, headers: passed });
}

/** Whether an answer ended at a limit; such answers are never stored. */
function isCut({ finishReason }: ChatResult): boolean {
  return finishReason === "length";
}

/** The result that the cache stores. */
function cachedResult({ encoded: { request }, cost, completion, raw }: StreamedAnswer): ChatResult {
  return resultOf({ endpoint: request.endpoint, request }, { completion, raw }, cost, 0);
}
