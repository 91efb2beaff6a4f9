/**
 * The folder of conversations: one file each, readable by its owner alone.
 *
 * @module
 */
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type FileLock, tryLock } from "../runtime/file_lock.ts";
import { InvalidInputError } from "../errors.ts";
import { readConversation, replaceFile } from "./conversation_file.ts";
import {
  type Conversation,
  type ConversationSettings,
  type ConversationTotals,
  titleOf,
  totalsOf,
} from "./conversation.ts";

/** A conversation in a list. */
export interface ConversationSummary {
  id: string;
  title: string;
  model: string;
  turns: number;
  totals: ConversationTotals;
  /** As ISO 8601. */
  created: string;
  /** When its file was last written, as ISO 8601. */
  updated: string;
}

const EXTENSION = ".json";

/** The time to the millisecond, then four random characters: names that sort by time. */
function newId(now: Date): string {
  const [date, time] = now.toISOString().replace(/[-:.Z]/g, "").split("T");
  const random = Math.floor(Math.random() * 36 ** 4).toString(36).padStart(4, "0");
  return `${date}-${time.slice(0, 6)}-${time.slice(6)}${random}`;
}

/** A conversation that has not been kept yet. */
export function newConversation(settings: ConversationSettings): Conversation {
  const now = new Date();
  const head = { version: 1, id: newId(now), created: now.toISOString() } as const;
  return { ...head, ...settings, turns: [] };
}

/** A copy that is kept as a conversation of its own. */
export function copyOf(conversation: Conversation): Conversation {
  return { ...structuredClone(conversation), id: newId(new Date()) };
}

/** Keeps conversations in a folder, which is made when the first is kept. */
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

  /** When the file of `id` was written, in milliseconds; 0 when it has just gone. */
  #written(id: string): number {
    return statSync(this.pathOf(id), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  }

  /**
   * Writes a conversation; a file that is there is replaced as a whole. One in which nothing is said
   * any more has no file.
   */
  save(conversation: Conversation): void {
    if (conversation.turns.length === 0) {
      return rmSync(this.pathOf(conversation.id), { force: true });
    }
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    replaceFile(this.pathOf(conversation.id), `${JSON.stringify(conversation)}\n`);
  }

  /** Takes a conversation for this process alone; `undefined` when another one has it. */
  async lock(id: string): Promise<FileLock | undefined> {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    return await tryLock(join(this.folder, `${id}.lock`));
  }

  /** Removes a conversation. */
  remove(id: string): void {
    rmSync(this.pathOf(id));
    rmSync(join(this.folder, `${id}.lock`), { force: true });
  }

  /** The conversation that was written last. */
  latest(): Conversation {
    const ids = this.#ids();
    if (ids.length === 0) {
      throw new InvalidInputError("there is no conversation to go on with", {
        hint: "Begin one with flexllm chat.",
      });
    }
    const times = new Map(ids.map((id) => [id, this.#written(id)]));
    const id = ids.reduce((last, id) => times.get(id)! >= times.get(last)! ? id : last);
    return readConversation(this.pathOf(id));
  }

  /**
   * The conversation `id`, which may be shortened as long as one alone is meant.
   *
   * @throws {InvalidInputError} when there is none, more than one, or its file is broken
   */
  find(id: string): Conversation {
    const ids = this.#ids();
    const found = ids.includes(id) ? [id] : ids.filter((other) => other.startsWith(id));
    if (found.length === 1 && id !== "") return readConversation(this.pathOf(found[0]));
    throw new InvalidInputError(
      found.length === 0 || id === ""
        ? `there is no conversation ${JSON.stringify(id)}`
        : `${found.length} conversations begin with ${JSON.stringify(id)}`,
      { hint: "flexllm chat --list shows them all." },
    );
  }

  /** All conversations, the last written first, and what is wrong with those that cannot be read. */
  list(): { conversations: ConversationSummary[]; problems: string[] } {
    const conversations: ConversationSummary[] = [];
    const problems: string[] = [];
    for (const id of this.#ids()) {
      try {
        const conversation = readConversation(this.pathOf(id));
        conversations.push({
          id,
          title: titleOf(conversation),
          model: conversation.model,
          turns: conversation.turns.length,
          totals: totalsOf(conversation),
          created: conversation.created,
          updated: new Date(this.#written(id)).toISOString(),
        });
      } catch (error) {
        if (!(error instanceof InvalidInputError)) throw error;
        problems.push(error.message);
      }
    }
    conversations.sort((a, b) => b.updated.localeCompare(a.updated) || b.id.localeCompare(a.id));
    return { conversations, problems };
  }
}
