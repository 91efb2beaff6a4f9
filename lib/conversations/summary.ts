/**
 * Summarizes saved conversations for lists.
 *
 * @module
 */
import { type Conversation, type ConversationTotals, titleOf, totalsOf } from "./conversation.ts";

/** The summary of a conversation in a list. */
export interface ConversationSummary {
  id: string;
  /** Its place among all conversations; 1 was saved last. */
  number: number;
  title: string;
  model: string;
  turns: number;
  totals: ConversationTotals;
  /** As ISO 8601. */
  created: string;
  /** When its file was last written, as ISO 8601. */
  updated: string;
}

/** A saved conversation in the order of a list. */
export interface StoredConversation {
  id: string;
  /** Its place among all conversations; 1 was saved last. */
  number: number;
  /** When its file was last written, in milliseconds since 1970. */
  updated: number;
  conversation: Conversation;
}

/** A file that is not a conversation. */
export interface DamagedConversation {
  id: string;
  updated: number;
  /** What is wrong with it. */
  problem: string;
}

/** The summary of a conversation. */
export function summaryOf(
  { id, number, updated, conversation }: StoredConversation,
): ConversationSummary {
  return {
    id,
    number,
    title: titleOf(conversation),
    model: conversation.model,
    turns: conversation.turns.length,
    totals: totalsOf(conversation),
    created: conversation.created,
    updated: new Date(updated).toISOString(),
  };
}
