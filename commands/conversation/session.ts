/**
 * A conversation that goes on: sends messages, keeps what comes.
 *
 * @module
 */
import type { FileLock } from "../../lib/runtime/file_lock.ts";
import type { Message } from "../../lib/chat/messages.ts";
import { StreamAccumulator } from "../../lib/chat/events.ts";
import type { ChatResult } from "../../lib/chat/result.ts";
import type { LLMClient } from "../../lib/client/client.ts";
import {
  answerTurn,
  type Conversation,
  interruptTurn,
  requestMessages,
  type Turn,
} from "../../lib/conversations/conversation.ts";
import { type ConversationStore, copyOf, newConversation } from "../../lib/conversations/store.ts";
import { type Attachment, messageWith } from "../../lib/input/attachment.ts";
import { noteLongWaits } from "../wait_notice.ts";
import { colored, writeNote } from "../terminal/output.ts";
import type { AnswerView } from "./answer_view.ts";
import { fileReason } from "../../lib/files/reasons.ts";

/** What a session needs. */
export interface SessionOptions {
  conversation: Conversation;
  client: LLMClient;
  /** Where the conversation is kept; `undefined` when it is not. */
  store: ConversationStore | undefined;
  /** Whether answers are shown as they arrive. */
  stream: boolean;
  /** Fields to add to each request. They are not saved. */
  extraBody?: Record<string, unknown>;
}

/** Sends messages of one conversation, one at a time. */
export class ChatSession {
  conversation: Conversation;
  client: LLMClient;
  /** What goes with the next message. */
  attachments: Attachment[] = [];
  readonly #store: ConversationStore | undefined;
  readonly #stream: boolean;
  readonly #extraBody: Record<string, unknown> | undefined;
  #lock: FileLock | undefined;
  /** The conversation that the lock is for. */
  #locked: string | undefined;
  #toldOfTrouble = false;

  constructor({ conversation, client, store, stream, extraBody }: SessionOptions) {
    this.conversation = conversation;
    this.client = client;
    this.#store = store;
    this.#stream = stream;
    this.#extraBody = extraBody;
  }

  /** Goes on with a kept conversation; with a copy when another process has it open. */
  async goOn(): Promise<void> {
    if (await this.#takeLock()) return;
    this.conversation = copyOf(this.conversation);
    writeNote("The conversation is open elsewhere; this goes on with a copy of it.");
  }

  /**
   * Sends a message, shows the answer and keeps both. What came of an answer that was cut is kept, too.
   *
   * @returns the turn; `interrupted` when `signal` cut it
   * @throws {FlexLLMError} when there was no answer
   */
  async send(text: string, view: AnswerView, signal: AbortSignal): Promise<Turn> {
    const files = this.attachments.map(({ name }) => name);
    const turn: Turn = {
      at: new Date().toISOString(),
      user: messageWith(text, this.attachments),
    };
    if (files.length > 0) turn.files = files;
    this.attachments = [];
    await this.#answer(turn, view, signal);
    return turn;
  }

  /**
   * Sends the last message again; `undefined` when there is none. Its answer is replaced when another
   * one comes.
   */
  async retry(view: AnswerView, signal: AbortSignal): Promise<Turn | undefined> {
    const last = this.conversation.turns.pop();
    if (last === undefined) return undefined;
    const turn: Turn = { at: new Date().toISOString(), user: last.user };
    if (last.files !== undefined) turn.files = last.files;
    try {
      // Whoever retries wants another answer, not the one of the cache.
      await this.#answer(turn, view, signal, false);
    } finally {
      if (turn.assistant === undefined) {
        this.conversation.turns.splice(-1, 1, last);
        await this.keep();
      }
    }
    return turn;
  }

  /** Drops the last turn. */
  async undo(): Promise<Turn | undefined> {
    const turn = this.conversation.turns.pop();
    if (turn !== undefined) await this.keep();
    return turn;
  }

  /** Begins a new conversation with the same settings; the old one stays kept. */
  clear(): void {
    this.close();
    const { version: _, id: _id, created: _created, turns: _turns, ...settings } =
      this.conversation;
    this.conversation = newConversation(settings);
    this.attachments = [];
  }

  /** Keeps the conversation as it is now. Trouble with the disk is told once and stops nothing. */
  async keep(): Promise<void> {
    if (this.#store === undefined) return;
    try {
      await this.#takeLock();
      this.#store.save(this.conversation);
    } catch (error) {
      if (this.#toldOfTrouble) return;
      this.#toldOfTrouble = true;
      writeNote(
        `${colored("yellow", "warning:")} the conversation cannot be kept: ${fileReason(error)}`,
      );
    }
  }

  /** Lets other processes go on with the conversation. */
  close(): void {
    this.#lock?.release();
    this.#lock = undefined;
    this.#locked = undefined;
  }

  async #takeLock(): Promise<boolean> {
    const { id } = this.conversation;
    if (this.#store === undefined || this.#locked === id) return true;
    this.close();
    this.#lock = await this.#store.lock(id);
    if (this.#lock !== undefined) this.#locked = id;
    return this.#lock !== undefined;
  }

  async #answer(
    turn: Turn,
    view: AnswerView,
    signal: AbortSignal,
    cache = true,
  ): Promise<void> {
    const messages = [...requestMessages(this.conversation), turn.user];
    this.conversation.turns.push(turn);
    // Before it is sent, so that the message is there whatever happens.
    await this.keep();
    const came = new StreamAccumulator();
    try {
      answerTurn(turn, await this.#ask(messages, view, { signal, cache }, came));
    } catch (error) {
      interruptTurn(turn, came.content, came.thinking);
      if (!signal.aborted) throw error;
    } finally {
      view.end();
      await this.keep();
    }
  }

  async #ask(
    messages: Message[],
    view: AnswerView,
    call: { signal: AbortSignal; cache: boolean },
    came: StreamAccumulator,
  ): Promise<ChatResult> {
    const { temperature, max_tokens: maxTokens, thinking } = this.conversation;
    const onRetry = noteLongWaits(writeNote);
    const options = {
      temperature,
      maxTokens,
      thinking,
      extraBody: this.#extraBody,
      onRetry,
      ...call,
    };
    if (!this.#stream) {
      const result = await this.client.chatCompletions(messages, options);
      view.thinking(result.thinking ?? "");
      view.text(result.content);
      return result;
    }
    const stream = this.client.chatCompletionsStream(messages, options);
    for await (const event of stream.events) {
      came.add(event);
      view.show(event);
    }
    return await stream.finalResult();
  }
}
