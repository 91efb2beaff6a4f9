/**
 * Sends a call to its granted endpoint once, reads the answer and commits what it used.
 *
 * @module
 */
import { assistantMessage } from "../chat/assistant_message.ts";
import { StreamAccumulator } from "../chat/events.ts";
import type { ChatResult } from "../chat/result.ts";
import { copyError, FlexLLMError } from "../errors.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Grant } from "../scheduling/grant.ts";
import type { AttemptTrace } from "../telemetry/attempt_trace.ts";
import type { BufferedResponse } from "../transport/http.ts";
import { withLost } from "./answer.ts";
import type { Call } from "./call.ts";
import type { Answered, EncodedCall, EndpointClient } from "./endpoint_client.ts";
import type { EventSink } from "./event_sink.ts";
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
    if (received !== undefined) {
      answered = await readStream(call, grant, encoded, received, trace);
    } else {
      const response = trace === undefined
        ? await target.send(encoded, call)
        : await sendTraced(call, target, encoded, trace);
      call.recorder?.responded(response);
      answered = target.answer(encoded, response);
    }
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

/** Sends a request within its span. Not in {@link attempt}, where the closure would cost each call. */
function sendTraced(
  call: Call,
  target: EndpointClient,
  encoded: EncodedCall,
  trace: AttemptTrace,
): Promise<BufferedResponse> {
  return trace.run(() => target.send(encoded, call));
}

/** Forwards the events of a stream as they arrive. After the first one, the call is not retried. */
async function readStream(
  call: Call,
  grant: Grant<EndpointClient>,
  encoded: EncodedCall,
  received: StreamAccumulator,
  trace: AttemptTrace | undefined,
): Promise<Answered> {
  const channel = call.events!;
  const sink: EventSink = {
    push(events, writer) {
      grant.answered();
      received.addAll(events);
      call.recorder?.received(events);
      channel.push(events, writer);
    },
  };
  const open = () => grant.target.stream(encoded, call, sink);
  const { model = "", raw = { model }, ...end } =
    await (trace === undefined ? open() : trace.run(open));
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
