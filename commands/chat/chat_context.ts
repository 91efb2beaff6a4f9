/**
 * The interface between a chat and its slash commands.
 *
 * @module
 */
import type { Config } from "../../lib/config/load.ts";
import type { Turn } from "../../lib/conversations/conversation.ts";
import type { AnswerView } from "../conversation/answer_view.ts";
import type { ConnectionFlags } from "../conversation/connect.ts";
import type { ChatSession } from "./chat_session.ts";

/** What slash commands can use of a chat. */
export interface ChatContext {
  session: ChatSession;
  config: Config;
  flags: ConnectionFlags;
  /** Prints a line for the user. */
  say(line: string): void;
  /** Runs `send` with a view to show the answer in, then prints tokens and cost. */
  answer(send: (view: AnswerView, signal: AbortSignal) => Promise<Turn | undefined>): Promise<void>;
  /** Asks the user a yes/no question; `undefined` without a terminal. */
  confirm: ((question: string) => Promise<boolean>) | undefined;
  /** Ends the chat after the current command. */
  exit(): void;
}
