/**
 * Sends a call to its endpoint once and reads the whole answer.
 *
 * @module
 */
import type { EndpointClient } from "../client/endpoint_client.ts";
import { throwStatusError } from "../protocols/decode_response.ts";
import { redactAnswer } from "../redact.ts";
import type { Grant } from "../scheduling/grant.ts";
import { type BufferedResponse, send } from "../transport/http.ts";
import type { CallFlow, EncodedFor } from "./call_flow.ts";
import type { LaneAnswer } from "./lane.ts";
import { commitAnswer, commitLost } from "./settlement.ts";
import { rememberUpstream } from "./upstream_answer.ts";

/** A whole answer and its cost. */
export interface PlainAnswer {
  readonly answer: LaneAnswer;
  readonly encoded: EncodedFor;
  /** USD; `null` if it is unknown. */
  readonly cost: number | null;
}

/**
 * Throws the error of an answer without a successful status, and remembers the answer for clients of the same
 * format.
 */
export function throwRefused({ lane, request }: EncodedFor, response: BufferedResponse): never {
  const { endpoint, protocol } = request;
  endpoint.observe(response, undefined);
  const shown = redactAnswer(response, endpoint.secrets);
  try {
    throwStatusError(protocol, shown, endpoint.connection.endpoint);
  } catch (error) {
    if (lane.name === "native") rememberUpstream(error, shown);
    throw error;
  }
}

/**
 * Sends a call once.
 *
 * @throws {FlexLLMError} when it fails; what that may cost is committed
 */
export async function plainAttempt(
  flow: CallFlow,
  grant: Grant<EndpointClient>,
): Promise<PlainAnswer> {
  const { target } = grant;
  const encoded = flow.encode(target);
  const { lane, request } = encoded;
  flow.record.sending(target, request.model, lane.name);
  let answer: LaneAnswer;
  try {
    const timeout = flow.state.pipeline.options.thinkingTimeout;
    const options = { timeout, signal: flow.signal };
    const response = await send(request.encoded, target.connection.fetch, options);
    flow.record.waitFor(undefined);
    flow.record.response = response;
    if (response.status < 200 || response.status > 299) throwRefused(encoded, response);
    answer = target.read(response, (response) => lane.answer(flow.call, request, response));
    target.observe(response, answer.completion.usage ?? undefined);
  } catch (error) {
    flow.record.waitFor("queue");
    await commitLost(flow, grant, request.model, error, undefined);
    throw error;
  }
  const cost = await commitAnswer(flow, grant, request.model, answer.completion);
  return { answer, encoded, cost };
}
