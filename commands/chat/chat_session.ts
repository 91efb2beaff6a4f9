/**
 * A running chat: sends messages, applies retry, undo and clear, and saves the conversation after each.
 *
 * @module
 */
import { StreamAccumulator } from "../../lib/chat/events.ts";
import { type Sampling, samplingFromFields } from "../../lib/chat/sampling_fields.ts";
import type { ChatOptions } from "../../lib/chat/options.ts";
import type { LLMClient } from "../../lib/client/client.ts";
import {
  answerTurn,
  type Conversation,
  interruptTurn,
  requestMessages,
  type Turn,
} from "../../lib/conversations/conversation.ts";
import { newConversation } from "../../lib/conversations/store.ts";
import { type Attachment, messageWith } from "../../lib/input/attachment.ts";
import type { AnswerView } from "../conversation/answer_view.ts";
import type { ConversationSession } from "../conversation/conversation_session.ts";
import { showAnswer } from "../conversation/request_answer.ts";

/** The parts of a chat session. */
export interface ChatSessionOptions {
  conversation: Conversation;
  client: LLMClient;
  /** The model's default sampling options. */
  defaults: Sampling;
  /** Saves the conversation. */
  storage: ConversationSession;
  /** Show answers as they arrive. */
  stream: boolean;
  /** Fields to add to each request. They are not saved. */
  extraBody?: Record<string, unknown>;
  /** The form of the answers. It is not saved. */
  format?: Pick<ChatOptions, "responseFormat">;
  /** Inserts each message into the prompt of a template. */
  fill?: (message: string) => string;
}

/** Sends the messages of one conversation, one at a time. */
export class ChatSession {
  conversation: Conversation;
  client: LLMClient;
  /** The model's default sampling options. */
  defaults: Sampling;
  /** Sent with the next message. */
  attachments: Attachment[] = [];
  readonly #storage: ConversationSession;
  readonly #stream: boolean;
  readonly #extraBody: Record<string, unknown> | undefined;
  readonly #format: ChatSessionOptions["format"];
  readonly #fill: (message: string) => string;

  constructor(options: ChatSessionOptions) {
    this.conversation = options.conversation;
    this.client = options.client;
    this.defaults = options.defaults;
    this.#storage = options.storage;
    this.#stream = options.stream;
    this.#extraBody = options.extraBody;
    this.#format = options.format;
    this.#fill = options.fill ?? ((message) => message);
  }

  /**
   * Sends a message and shows the answer. Both are saved, as is what arrived of an interrupted answer.
   *
   * @returns the turn; `interrupted` if `signal` aborted it
   * @throws {FlexLLMError} if the request fails
   */
  async send(text: string, view: AnswerView, signal: AbortSignal): Promise<Turn> {
    const files = this.attachments.map(({ name }) => name);
    const turn: Turn = {
      at: new Date().toISOString(),
      user: messageWith(this.#fill(text), this.attachments),
    };
    if (files.length > 0) turn.files = files;
    this.attachments = [];
    await this.#answer(turn, view, { signal, cache: true });
    return turn;
  }

  /**
   * Sends the last message again and replaces its answer. If no new answer arrives, the old one stays.
   *
   * @returns the new turn; `undefined` if the conversation is empty
   */
  async retry(view: AnswerView, signal: AbortSignal): Promise<Turn | undefined> {
    const last = this.conversation.turns.pop();
    if (last === undefined) return undefined;
    const turn: Turn = { at: new Date().toISOString(), user: last.user };
    if (last.files !== undefined) turn.files = last.files;
    try {
      // The cache would return the same answer again.
      await this.#answer(turn, view, { signal, cache: false });
    } finally {
      if (turn.assistant === undefined) {
        this.conversation.turns.splice(-1, 1, last);
        await this.save();
      }
    }
    return turn;
  }

  /** Removes the last turn and returns it. */
  async undo(): Promise<Turn | undefined> {
    const turn = this.conversation.turns.pop();
    if (turn !== undefined) await this.save();
    return turn;
  }

  /** Starts a new conversation with the same settings. The old one stays saved. */
  clear(): void {
    this.close();
    const { version: _, id: _id, created: _created, turns: _turns, ...settings } =
      this.conversation;
    this.conversation = newConversation(settings);
    this.attachments = [];
  }

  /** Saves the conversation. */
  async save(): Promise<void> {
    await this.#storage.saveAndLock(this.conversation);
  }

  /** Lets other processes resume the conversation. */
  close(): void {
    this.#storage.close();
  }

  async #answer(
    turn: Turn,
    view: AnswerView,
    call: { signal: AbortSignal; cache: boolean },
  ): Promise<void> {
    const messages = [...requestMessages(this.conversation), turn.user];
    const options = {
      ...this.defaults,
      ...samplingFromFields(this.conversation),
      extraBody: this.#extraBody,
      ...this.#format,
      ...call,
    };
    this.conversation.turns.push(turn);
    // Saved before it is sent, so that a crash does not lose the message.
    await this.save();
    const received = new StreamAccumulator();
    const display = { view, stream: this.#stream, received };
    try {
      answerTurn(turn, await showAnswer(this.client, messages, options, display));
    } catch (error) {
      interruptTurn(turn, received.content, received.thinking);
      if (!call.signal.aborted) throw error;
    } finally {
      await this.save();
    }
  }
}
