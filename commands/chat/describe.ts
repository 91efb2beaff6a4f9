/**
 * What a chat says about turns, costs and conversations, each in a line or two.
 *
 * @module
 */
import type { Conversation, Turn } from "../../lib/conversations/conversation.ts";
import { promptOf, titleOf, totalsOf } from "../../lib/conversations/conversation.ts";
import { dollars, duration } from "../terminal/format.ts";
import { printable } from "../terminal/sanitize.ts";

/** The first line of a text, shortened, in quotes. */
export function quotedStart(text: string): string {
  const line = printable(text).trim().replace(/\s+/g, " ");
  return `"${line.length > 50 ? `${line.slice(0, 49)}…` : line}"`;
}

/** What an answer took: tokens, cost, seconds. */
export function describeTurn(turn: Turn): string {
  const { model, usage, cost, latency = 0, finish_reason } = turn;
  const parts = [
    usage ? `${usage.prompt_tokens} tokens in, ${usage.completion_tokens} out` : "unknown tokens",
    cost === undefined ? "unknown cost" : dollars(cost),
    duration(latency),
  ];
  if (model !== undefined) parts.unshift(printable(model));
  if (finish_reason === "length") parts.push("cut at the limit of tokens");
  if (finish_reason === "content_filter") parts.push("cut by the provider's filter");
  return parts.join(" · ");
}

/** What a conversation took. */
export function describeTotals(conversation: Conversation): string {
  const totals = totalsOf(conversation);
  const { answers, promptTokens, completionTokens, cost, unpriced, uncounted } = totals;
  const priced = answers - unpriced;
  const costs = priced === 0
    ? "unknown cost"
    : unpriced === 0
    ? dollars(cost)
    : `${dollars(cost)} and ${unpriced} of unknown price`;
  const tokens = `${promptTokens} tokens in, ${completionTokens} out`;
  const counted = uncounted === 0 ? tokens : `${tokens} (${uncounted} not counted)`;
  return `${answers} ${answers === 1 ? "answer" : "answers"}: ${counted} · ${costs}`;
}

/** Which conversation goes on. */
export function describeConversation(conversation: Conversation): string {
  const { id, model, turns } = conversation;
  const count = `${turns.length} ${turns.length === 1 ? "turn" : "turns"}`;
  return `Going on with ${quotedStart(titleOf(conversation))} (${count}, ${model}, ${id}).`;
}

/** What was asked in a turn. */
export function describeQuestion(turn: Turn): string {
  return quotedStart(promptOf(turn));
}
