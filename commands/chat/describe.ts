/**
 * Summarizes turns, costs and conversations in a line each.
 *
 * @module
 */
import type { Conversation, Turn } from "../../lib/conversations/conversation.ts";
import { promptOf, titleOf, totalsOf } from "../../lib/conversations/conversation.ts";
import { counted, dollars, duration, tokenCounts } from "../terminal/format.ts";
import { printable } from "../terminal/sanitize.ts";

/** A text on one line, shortened to 50 characters, in quotes. */
function quotedStart(text: string): string {
  const line = printable(text).trim().replace(/\s+/g, " ");
  return `"${line.length > 50 ? `${line.slice(0, 49)}…` : line}"`;
}

/**
 * Model, tokens, cost and latency of an answer.
 *
 * @param isLocal whether answers usually cost nothing, so that only a price that is known is of interest
 */
export function describeTurn(turn: Turn, isLocal: boolean): string {
  const { model, usage, cost, latency = 0, finish_reason } = turn;
  const parts = [
    usage ? tokenCounts(usage.prompt_tokens, usage.completion_tokens) : "unknown tokens",
  ];
  if (!isLocal || cost) parts.push(cost === undefined ? "unknown cost" : dollars(cost));
  parts.push(duration(latency));
  if (model !== undefined) parts.unshift(printable(model));
  if (finish_reason === "length") parts.push("truncated at the token limit");
  if (finish_reason === "content_filter") parts.push("stopped by the provider's content filter");
  return parts.join(" · ");
}

/** Answers, tokens and cost of a conversation; see {@link describeTurn}. */
export function describeTotals(conversation: Conversation, isLocal: boolean): string {
  const totals = totalsOf(conversation);
  const { answers, promptTokens, completionTokens, cost, unpriced, uncounted } = totals;
  const costs = unpriced === 0
    ? dollars(cost)
    : unpriced === answers
    ? "unknown cost"
    : `${dollars(cost)}, plus ${unpriced} of unknown cost`;
  const used = tokenCounts(promptTokens, completionTokens);
  const known = uncounted === 0 ? used : `${used} (${uncounted} without a count)`;
  const summary = `${counted(answers, "answer")}: ${known}`;
  return isLocal && cost === 0 ? summary : `${summary} · ${costs}`;
}

/** Which conversation is resumed. */
export function describeConversation(conversation: Conversation): string {
  const { id, model, turns } = conversation;
  return `Resuming ${quotedStart(titleOf(conversation))} (${
    counted(turns.length, "turn")
  }, ${model}, ${id}).`;
}

/** How the prompt of a turn begins, in quotes. */
export function describePrompt(turn: Turn): string {
  return quotedStart(promptOf(turn));
}
