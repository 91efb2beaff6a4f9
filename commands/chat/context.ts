/**
 * What the commands of a chat work with.
 *
 * @module
 */
import type { Config } from "../../lib/config/load.ts";
import type { Turn } from "../../lib/conversations/conversation.ts";
import type { AnswerView } from "../conversation/answer_view.ts";
import type { ConnectFlags } from "../conversation/connect.ts";
import type { ChatSession } from "../conversation/session.ts";

/** A chat, as its commands see it. */
export interface ChatContext {
  session: ChatSession;
  config: Config;
  flags: ConnectFlags;
  /** Tells the person something. */
  say(line: string): void;
  /** Shows the answer that `ask` brings, and what it took. */
  answer(ask: (view: AnswerView, signal: AbortSignal) => Promise<Turn | undefined>): Promise<void>;
  /** Asks the person a question; `undefined` when there is nobody to ask. */
  confirm: ((question: string) => Promise<boolean>) | undefined;
  /** Ends the chat after this command. */
  leave(): void;
}
