/**
 * Sends a call to its granted endpoint once, reads the answer and commits what it used.
 *
 * @module
 */
import { assistantMessage } from "../chat/assistant_message.ts";
import { StreamAccumulator, type StreamEvent } from "../chat/events.ts";
import type { ChatResult } from "../chat/result.ts";
import { copyError, FlexLLMError } from "../errors.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Grant } from "../scheduling/grant.ts";
import { withLost } from "./answer.ts";
import type { Call } from "./call.ts";
import type { Answered, EncodedCall, EndpointClient } from "./endpoint_client.ts";
import type { EventChannel } from "./event_channel.ts";
import type { Metering } from "./metering.ts";

/**
 * Sends `call` once. Commits its tokens and cost to the grant, whether it succeeds or fails.
 *
 * @throws {FlexLLMError} with what had arrived in `partial`
 */
export async function attempt(
  call: Call,
  grant: Grant<EndpointClient>,
  metering: Metering,
  clock: Clock,
): Promise<ChatResult> {
  const { target } = grant;
  call.hooks?.onAttempt?.();
  const encoded = call.encode(target);
  const { model } = encoded.request;
  // Overlaps with the first request. Later ones have no need to wait.
  const loading = target.pricer === undefined ? target.loadPricer() : undefined;
  const received = call.events && new StreamAccumulator();
  const trace = call.recorder?.sending(model, target);
  let answered: Answered;
  try {
    answered = trace === undefined
      ? await exchange(call, grant, encoded, received)
      : await trace.run(() => exchange(call, grant, encoded, received));
  } catch (error) {
    call.recorder?.attempted(error);
    if (loading !== undefined) await loading;
    // Before the first event, the error itself carries what was received.
    const partial = grant.isAnswered ? received : undefined;
    call.lost += metering.commitLost(call, grant, model, error, partial);
    call.recorder?.waiting();
    if (partial === undefined || !(error instanceof FlexLLMError) || error.partial) throw error;
    throw copyError(error, { partial: partial.partial() });
  }
  call.recorder?.attempted();
  if (loading !== undefined) await loading;
  const cost = metering.cost(target, model, answered.completion);
  const seconds = (clock.now() - grant.reservation.at) / 1000;
  const result = resultOf(encoded, answered, cost, seconds);
  metering.commit(call, grant, result);
  return withLost(result, call.lost);
}

/** Sends the request and reads its answer. */
function exchange(
  call: Call,
  grant: Grant<EndpointClient>,
  encoded: EncodedCall,
  received: StreamAccumulator | undefined,
): Promise<Answered> {
  if (received === undefined) return grant.target.complete(encoded, call);
  return readStream(call, grant, encoded, call.events!, received);
}

/** Forwards the events of a stream as they arrive. After the first one, the call is not retried. */
async function readStream(
  call: Call,
  grant: Grant<EndpointClient>,
  encoded: EncodedCall,
  channel: EventChannel,
  received: StreamAccumulator,
): Promise<Answered> {
  const write = (events: StreamEvent[]) => {
    grant.answered();
    received.addAll(events);
    call.recorder?.received(events);
    return channel.write(events);
  };
  const { model = "", raw = { model }, ...end } = await grant.target.stream(encoded, call, write);
  grant.answered();
  return { completion: { ...received.completion(), model, ...end }, raw };
}

/**
 * The result of an answer.
 *
 * @param cost USD
 * @param latency seconds
 */
export function resultOf(
  { endpoint, request }: Pick<EncodedCall, "endpoint"> & { request: { model: string } },
  { completion, raw }: Answered,
  cost: number | null,
  latency: number,
): ChatResult {
  return {
    content: completion.content,
    thinking: completion.thinking,
    refusal: completion.refusal,
    citations: completion.citations,
    logprobs: completion.logprobs,
    toolCalls: completion.toolCalls,
    message: assistantMessage(completion),
    usage: completion.usage,
    cost,
    finishReason: completion.finishReason,
    model: completion.model || request.model,
    endpoint: endpoint.name,
    cached: false,
    latency,
    raw,
  };
}
