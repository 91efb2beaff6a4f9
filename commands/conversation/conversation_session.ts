/**
 * Saves the conversation of `ask` or `chat`, and locks its file against other processes.
 *
 * @module
 */
import type { FileLock } from "../../lib/runtime/file_lock.ts";
import type { Conversation } from "../../lib/conversations/conversation.ts";
import { type ConversationStore, copyOf } from "../../lib/conversations/store.ts";
import { fileReason } from "../../lib/files/reasons.ts";
import { writeWarning } from "../terminal/sentences.ts";

/** The saving side of a conversation. Without a store, nothing is locked or saved. */
export class ConversationSession {
  readonly #store: ConversationStore | undefined;
  #lock: FileLock | undefined;
  /** The conversation whose file is locked. */
  #lockedId: string | undefined;
  #hasWarned = false;

  /** @param store `undefined` with `--no-save` */
  constructor(store: ConversationStore | undefined) {
    this.#store = store;
  }

  /**
   * Locks a saved conversation.
   *
   * @returns the conversation, or a copy with its own ID if another process has it open
   */
  async resume(conversation: Conversation): Promise<Conversation> {
    return await this.#acquire(conversation.id) ? conversation : copyOf(conversation);
  }

  /** Saves the conversation. A failure is only a warning, given once: the answer has been shown. */
  save(conversation: Conversation): void {
    try {
      this.#store?.save(conversation);
    } catch (error) {
      this.#warn(error);
    }
  }

  /** Saves the conversation like {@link save}, and locks its file until {@link close}. */
  async saveAndLock(conversation: Conversation): Promise<void> {
    try {
      await this.#acquire(conversation.id);
      this.#store?.save(conversation);
    } catch (error) {
      this.#warn(error);
    }
  }

  /** Releases the lock, so that other processes can resume the conversation. */
  close(): void {
    this.#lock?.release();
    this.#lock = undefined;
    this.#lockedId = undefined;
  }

  /** Locks the file of the conversation `id`; false if another process holds the lock. */
  async #acquire(id: string): Promise<boolean> {
    if (this.#store === undefined || this.#lockedId === id) return true;
    this.close();
    this.#lock = await this.#store.lock(id);
    if (this.#lock !== undefined) this.#lockedId = id;
    return this.#lock !== undefined;
  }

  #warn(error: unknown): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    writeWarning(
      `could not save the conversation: ${fileReason(error)} (use --no-save to hide this warning)`,
    );
  }
}
