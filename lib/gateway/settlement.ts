/**
 * Commits what attempts used: to the limits of the endpoint, the budget of the pool and the key of the caller.
 *
 * @module
 */
import type { StreamAccumulator } from "../chat/events.ts";
import { mayHaveRun, type PricedCompletion, type Received } from "../client/metering.ts";
import type { EndpointClient } from "../client/endpoint_client.ts";
import { FlexLLMError } from "../errors.ts";
import type { Completion } from "../protocols/protocol.ts";
import type { Charge } from "../scheduling/budget.ts";
import type { Grant } from "../scheduling/grant.ts";
import type { Usage } from "../usage.ts";
import { answerCountOf } from "../chat/max_tokens.ts";
import { tierAt } from "./call_cost.ts";
import type { CallFlow } from "./call_flow.ts";

/** Loads the prices of an endpoint; usually they are there. */
function pricesOf(endpoint: EndpointClient): Promise<unknown> | undefined {
  return endpoint.pricer === undefined ? endpoint.loadPricer() : undefined;
}

function commit(flow: CallFlow, { reservation }: Grant<EndpointClient>, charge: Charge): void {
  reservation.commit(charge);
  flow.admission?.commit(charge);
  flow.record.addCost(charge.cost);
}

/** The cost in USD at an endpoint; `null` if its price is unknown. */
function costOf(
  flow: CallFlow,
  target: EndpointClient,
  model: string,
  completion: PricedCompletion,
): number | null {
  const serviceTier = completion.serviceTier ?? tierAt(flow.call, target);
  return flow.state.pipeline.metering.cost(target, model, { ...completion, serviceTier });
}

/** Commits a complete answer. Returns its cost in USD; `null` if it is unknown. */
export async function commitAnswer(
  flow: CallFlow,
  grant: Grant<EndpointClient>,
  model: string,
  completion: Completion,
): Promise<number | null> {
  const { target } = grant;
  const { record, state: { pipeline: { metering } } } = flow;
  const pending = pricesOf(target);
  if (pending !== undefined) await pending;
  const isCounted = flow.call.caller.isMetered || metering.estimates;
  if (completion.usage !== null && isCounted && flow.isMeasurable) {
    metering.learn(flow.promptSize, completion.usage);
  }
  // A server that counts no tokens is billed by the text that it sent.
  const usage = completion.usage ??
    (isCounted ? metering.lostUsage(flow, completion) : undefined) ?? null;
  const cost = costOf(flow, target, model, { ...completion, usage });
  record.usage = usage;
  record.answer = completion;
  commit(flow, grant, { model: completion.model || model, endpoint: target.name, usage, cost });
  return cost;
}

/**
 * What a stream that ended before its first part may be billed, if the request does not limit the answer: servers
 * stop writing when the connection closes, so the longest possible answer would be far too much. The reservation
 * counts otherwise.
 */
function usualUsage(flow: CallFlow): Usage | null {
  if (!flow.call.stream || !flow.call.caller.isMetered || flow.maxTokens !== undefined) return null;
  const { promptTokens, state: { pipeline: { metering } } } = flow;
  const completionTokens = metering.completionTokens(undefined) * answerCountOf(flow.call.body);
  return { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens };
}

/** Commits what a failed attempt may be billed, by the part of the answer that arrived. */
export async function commitLost(
  flow: CallFlow,
  grant: Grant<EndpointClient>,
  model: string,
  error: unknown,
  received: StreamAccumulator | undefined,
): Promise<void> {
  const partial: Received | undefined = received ??
    (error instanceof FlexLLMError ? error.partial : undefined);
  if (!mayHaveRun(error) && partial === undefined) return;
  const { target } = grant;
  const pending = pricesOf(target);
  if (pending !== undefined) await pending;
  const usage = flow.state.pipeline.metering.lostUsage(flow, partial) ?? null;
  const billed = usage ?? usualUsage(flow);
  const cost = billed && costOf(flow, target, model, { usage: billed });
  if (received !== undefined) flow.record.usage = usage;
  commit(flow, grant, { model, endpoint: target.name, usage, cost, isLost: true });
}
