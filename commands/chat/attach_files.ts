/**
 * Attaches files to the next message of a chat.
 *
 * @module
 */
import {
  type Attachment,
  type ReadAttachmentOptions,
  readAttachments,
} from "../../lib/input/attachment.ts";
import type { Config } from "../../lib/config/load.ts";
import { attachmentOptions } from "../connect.ts";
import type { ConnectionFlags } from "../conversation/connect.ts";
import { bytes } from "../terminal/format.ts";
import type { ChatSession } from "./chat_session.ts";

/**
 * Attaches the files that `references` name, in this order: paths, patterns and URLs. If one cannot be
 * read, none is attached.
 *
 * @throws {FlexLLMError} if one cannot be read
 */
export async function attachFiles(
  session: ChatSession,
  references: readonly string[],
  options: ReadAttachmentOptions,
): Promise<Attachment[]> {
  const attachments: Attachment[] = [];
  for (const reference of references) {
    attachments.push(...await readAttachments(reference, options));
  }
  session.attachments.push(...attachments);
  return attachments;
}

/** How files of `-f` and `/file` are read. Standard input is the conversation, so `-` cannot be one. */
export function chatAttachmentOptions(
  config: Config,
  flags: ConnectionFlags,
): ReadAttachmentOptions {
  return { ...attachmentOptions(config, flags), timeout: flags.timeout };
}

/** The names and sizes of attachments. */
export function describeAttachments(attachments: readonly Attachment[]): string {
  return attachments.map(({ name, bytes: size }) => size > 0 ? `${name} (${bytes(size)})` : name)
    .join(", ");
}
