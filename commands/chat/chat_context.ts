/**
 * The interface between a chat and its slash commands.
 *
 * @module
 */
import type { Config } from "../../lib/config/load.ts";
import type { Turn } from "../../lib/conversations/conversation.ts";
import type { WriteStream } from "node:tty";
import type { ConversationStore } from "../../lib/conversations/store.ts";
import type { AnswerView, AnswerViewOptions } from "../conversation/answer_view.ts";
import type { ConnectionFlags } from "../conversation/connect.ts";
import type { ChatSession } from "./chat_session.ts";

/** What slash commands can use of a chat. */
export interface ChatContext {
  session: ChatSession;
  config: Config;
  flags: ConnectionFlags;
  /** The saved conversations. */
  store: ConversationStore;
  /** How answers are shown. */
  view: AnswerViewOptions;
  /** The terminal; `undefined` without one. */
  terminal: WriteStream | undefined;
  /** Prints a line for the user. */
  say(line: string): void;
  /** Runs `send` with a view to show the answer in, then prints tokens and cost. */
  answer(send: (view: AnswerView, signal: AbortSignal) => Promise<Turn | undefined>): Promise<void>;
  /** Asks the user a question; `undefined` without a terminal. Returns `undefined` if interrupted. */
  ask: ((question: string) => Promise<string | undefined>) | undefined;
  /** Gives the terminal to another program while `run` runs. */
  lend<T>(run: () => Promise<T>): Promise<T>;
  /** Adds a message to the history of typed messages. */
  remember(message: string): void;
  /** Ends the chat after the current command. */
  exit(): void;
}

/** Asks a yes/no question; only yes is true. */
export async function isConfirmed(
  ask: NonNullable<ChatContext["ask"]>,
  question: string,
): Promise<boolean> {
  return /^y(es)?$/i.test(await ask(`${question} [y/N] `) ?? "");
}
