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
  titleOf,
  type Turn,
  withText,
} from "../../lib/conversations/conversation.ts";
import { newConversation } from "../../lib/conversations/store.ts";
import { type Attachment, messageWith } from "../../lib/input/attachment.ts";
import type { AnswerView } from "../conversation/answer_view.ts";
import type { ConversationModel, ModelServer } from "../conversation/connect.ts";
import type { ConversationSession } from "../conversation/conversation_session.ts";
import { withSettings } from "../conversation/settings.ts";
import { showAnswer } from "../conversation/request_answer.ts";

/** The model that a chat is connected to. */
export interface Connection {
  client: LLMClient;
  /** The model's default sampling options. */
  defaults: Sampling;
  server: ModelServer;
}

/** The parts of a chat session. */
export interface ChatSessionOptions extends Connection {
  conversation: Conversation;
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
  /** The server of the model. */
  server: ModelServer;
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
    this.server = options.server;
    this.#storage = options.storage;
    this.#stream = options.stream;
    this.#extraBody = options.extraBody;
    this.#format = options.format;
    this.#fill = options.fill ?? ((message) => message);
  }

  /** The title of the conversation. */
  get title(): string {
    return titleOf(this.conversation) || "none";
  }

  /** Sets the title of the conversation; `undefined` restores the default. */
  async rename(title: string | undefined): Promise<void> {
    if (title === undefined) delete this.conversation.title;
    else this.conversation.title = title;
    await this.saveSettings();
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
    // The cache would return the same answer again.
    return await this.#replace((last) => last.user, view, { signal, cache: false });
  }

  /** Replaces the text of the last message and sends it, like {@link retry}. Its attachments stay. */
  async resend(text: string, view: AnswerView, signal: AbortSignal): Promise<Turn | undefined> {
    return await this.#replace((last) => withText(last, text), view, { signal, cache: true });
  }

  async #replace(
    message: (last: Turn) => Turn["user"],
    view: AnswerView,
    call: { signal: AbortSignal; cache: boolean },
  ): Promise<Turn | undefined> {
    const last = this.conversation.turns.pop();
    if (last === undefined) return undefined;
    const turn: Turn = { at: new Date().toISOString(), user: message(last) };
    if (last.files !== undefined) turn.files = last.files;
    try {
      await this.#answer(turn, view, call);
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
    const { version: _, id: _id, created: _created, turns: _turns, title: _title, ...settings } =
      this.conversation;
    this.conversation = newConversation(settings);
    this.attachments = [];
  }

  /** Continues with another model. */
  async connect(connection: ConversationModel): Promise<void> {
    await this.#use(connection, this.conversation);
    await this.saveSettings();
  }

  /**
   * Continues with another saved conversation.
   *
   * @param connection its model
   * @returns whether it is a copy, because another process has it open
   */
  async open(saved: Conversation, connection: ConversationModel): Promise<boolean> {
    const conversation = await this.#storage.resume(saved);
    await this.#use(connection, conversation);
    return conversation.id !== saved.id;
  }

  async #use(
    { client, defaults, server, settings }: ConversationModel,
    conversation: Conversation,
  ): Promise<void> {
    await this.client.close();
    this.client = client;
    this.defaults = defaults;
    this.server = server;
    this.conversation = withSettings(conversation, settings);
  }

  /** Saves changed settings. A conversation without messages is not saved yet. */
  async saveSettings(): Promise<void> {
    if (this.conversation.turns.length > 0) await this.save();
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
