/**
 * Stores conversations in a folder: one file each, readable by its owner only.
 *
 * @module
 */
import { mkdirSync, readdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { type FileLock, tryLock } from "../runtime/file_lock.ts";
import { InvalidInputError } from "../errors.ts";
import { replaceFile } from "../files/replace_file.ts";
import { readConversation } from "./conversation_file.ts";
import { type Conversation, type ConversationSettings, textOf, titleOf } from "./conversation.ts";
import {
  type ConversationSummary,
  type DamagedConversation,
  type StoredConversation,
  summaryOf,
} from "./summary.ts";

const EXTENSION = ".json";

/** Longer numbers are the start of an id. */
const NUMBER = /^\d{1,3}$/;

/** Maximum number of conversations that an error message lists. */
const MAX_SUGGESTIONS = 5;

/** Whether the title or a message of a conversation contains `text`, in any case. */
function mentions(conversation: Conversation, text: string): boolean {
  const wanted = text.toLowerCase();
  const texts = conversation.turns.flatMap(({ user, assistant }) => [
    textOf(user.content),
    textOf(assistant?.content),
  ]);
  return [titleOf(conversation), ...texts].some((text) => text.toLowerCase().includes(wanted));
}

/** An id that sorts by time: the time to the millisecond, then four random characters. */
function newId(now: Date): string {
  const [date, time] = now.toISOString().replace(/[-:.Z]/g, "").split("T");
  const random = Math.floor(Math.random() * 36 ** 4).toString(36).padStart(4, "0");
  return `${date}-${time.slice(0, 6)}-${time.slice(6)}${random}`;
}

/** A new conversation, not saved yet. */
export function newConversation(settings: ConversationSettings): Conversation {
  const now = new Date();
  const head = { version: 1, id: newId(now), created: now.toISOString() } as const;
  return { ...head, ...settings, turns: [] };
}

/** A copy with its own id. */
export function copyOf(conversation: Conversation): Conversation {
  return { ...structuredClone(conversation), id: newId(new Date()) };
}

/** Stores conversations in a folder, which is created for the first one. */
export class ConversationStore {
  /** The folder. */
  readonly folder: string;

  /** @param home the folder of the user's files, see `homeFolder` */
  constructor(home: string) {
    this.folder = join(home, "conversations");
  }

  /** The file of the conversation `id`. */
  pathOf(id: string): string {
    return join(this.folder, `${id}${EXTENSION}`);
  }

  #ids(): string[] {
    try {
      return readdirSync(this.folder)
        .filter((name) => name.endsWith(EXTENSION))
        .map((name) => name.slice(0, -EXTENSION.length))
        .sort();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") return [];
      throw error;
    }
  }

  /** When the file of `id` was written, in milliseconds; 0 if it has just been deleted. */
  #written(id: string): number {
    return statSync(this.pathOf(id), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  }

  /**
   * Saves a conversation, replacing its file. Deletes the file if the conversation has no turns left.
   */
  save(conversation: Conversation): void {
    if (conversation.turns.length === 0) {
      return rmSync(this.pathOf(conversation.id), { force: true });
    }
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    replaceFile(this.pathOf(conversation.id), `${JSON.stringify(conversation)}\n`, 0o600);
  }

  /** Locks a conversation for this process; `undefined` if another process holds the lock. */
  async lock(id: string): Promise<FileLock | undefined> {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    return await tryLock(join(this.folder, `${id}.lock`));
  }

  /** Deletes a conversation. */
  remove(id: string): void {
    rmSync(this.pathOf(id));
    rmSync(join(this.folder, `${id}.lock`), { force: true });
  }

  /**
   * Sets the title of a conversation, or removes it if it is empty. The conversation keeps its place in the list,
   * since it has not been used.
   *
   * @throws {InvalidInputError} if its file is invalid
   */
  rename(id: string, title: string): Conversation {
    const path = this.pathOf(id);
    const { atime, mtime } = statSync(path);
    const { title: _, ...untitled } = readConversation(path);
    const renamed = title === "" ? untitled : { ...untitled, title };
    this.save(renamed);
    utimesSync(path, atime, mtime);
    return renamed;
  }

  /** Whether there is a file for exactly this id, even a damaged one. */
  has(id: string): boolean {
    return this.#ids().includes(id);
  }

  /**
   * The conversation that was saved last.
   *
   * @throws {InvalidInputError} if there is none, or its file is invalid
   */
  latest(): Conversation {
    const ids = this.#ids();
    if (ids.length === 0) {
      throw new InvalidInputError("there is no conversation to continue", {
        hint: "Start one with flexllm chat.",
      });
    }
    const times = new Map(ids.map((id) => [id, this.#written(id)]));
    const id = ids.reduce((last, id) => times.get(id)! >= times.get(last)! ? id : last);
    return readConversation(this.pathOf(id));
  }

  /**
   * The conversations that `reference` can mean: the one with this number in {@link list}, those whose id
   * starts with it, or else those whose title or messages contain it. The last saved is first.
   */
  matching(reference: string): ConversationSummary[] {
    if (reference === "") return [];
    if (NUMBER.test(reference)) {
      // Stops at the number: the older ones are not read.
      for (const entry of this.entries()) {
        if ("number" in entry && entry.number === Number(reference)) return [summaryOf(entry)];
      }
      return [];
    }
    const ids = this.#ids();
    if (ids.includes(reference)) return this.#summaries((id) => id === reference).conversations;
    const named = this.#startingWith(reference, ids);
    return named.length > 0
      ? this.#summaries((id) => named.includes(id)).conversations
      : this.list(reference).conversations;
  }

  #startingWith(reference: string, ids: readonly string[]): string[] {
    return reference === "" || NUMBER.test(reference)
      ? []
      : ids.filter((id) => id.startsWith(reference));
  }

  /**
   * The only conversation that `reference` can mean; see {@link matching}.
   *
   * @throws {InvalidInputError} if there is none, more than one, or its file is invalid
   */
  find(reference: string): Conversation {
    // Read directly, so that the error of an invalid file is thrown.
    const ids = this.#ids();
    const named = ids.includes(reference) ? [reference] : this.#startingWith(reference, ids);
    if (named.length === 1) return readConversation(this.pathOf(named[0]));
    const found = this.matching(reference);
    if (found.length === 1) return readConversation(this.pathOf(found[0].id));
    const shown = JSON.stringify(reference);
    if (found.length === 0) {
      throw new InvalidInputError(`there is no conversation ${shown}`, {
        hint: "List the conversations with `flexllm logs`, or /list in a chat.",
      });
    }
    const byId = found.every(({ id }) => id.startsWith(reference));
    const listed = found.slice(0, MAX_SUGGESTIONS).map(({ id, title }) => `  ${id}  ${title}`);
    if (found.length > MAX_SUGGESTIONS) listed.push("  …");
    throw new InvalidInputError(
      `${found.length} conversations ${byId ? "start with" : "contain"} ${shown}`,
      { hint: `Choose one by its ID:\n${listed.join("\n")}` },
    );
  }

  /**
   * All conversations, the last saved first, and an error message for each one that cannot be read.
   *
   * @param text only those whose title or messages contain this text, in any case
   */
  list(text = ""): { conversations: ConversationSummary[]; problems: string[] } {
    return this.#summaries((_, conversation) => text === "" || mentions(conversation, text));
  }

  /**
   * Reads all conversations one by one, the last saved first, so that a caller can stop early. Damaged files are
   * among them, without a number.
   */
  *entries(): Generator<StoredConversation | DamagedConversation, void, void> {
    const files = this.#ids().map((id) => ({ id, updated: this.#written(id) }));
    files.sort((a, b) => b.updated - a.updated || (a.id < b.id ? 1 : -1));
    let number = 0;
    for (const file of files) {
      try {
        const conversation = readConversation(this.pathOf(file.id));
        yield { ...file, number: ++number, conversation };
      } catch (error) {
        if (!(error instanceof InvalidInputError)) throw error;
        yield { ...file, problem: error.message };
      }
    }
  }

  /** Summarizes the conversations that `isSelected` selects. */
  #summaries(
    isSelected: (id: string, conversation: Conversation) => boolean,
  ): { conversations: ConversationSummary[]; problems: string[] } {
    const conversations: ConversationSummary[] = [];
    const problems: string[] = [];
    for (const entry of this.entries()) {
      if ("problem" in entry) problems.push(entry.problem);
      else if (isSelected(entry.id, entry.conversation)) conversations.push(summaryOf(entry));
    }
    return { conversations, problems };
  }
}
