/**
 * Attaches files to the next message of a chat.
 *
 * @module
 */
import { type Attachment, readAttachment } from "../../lib/input/attachment.ts";
import { bytes } from "../terminal/format.ts";
import type { ChatSession } from "./chat_session.ts";

/** Reads what one reference names: a path or a URL. */
async function read(reference: string): Promise<Attachment[]> {
  return [await readAttachment(reference)];
}

/**
 * Attaches the files that `references` name, in this order. If one cannot be read, none is attached.
 *
 * @throws {FlexLLMError} if one cannot be read
 */
export async function attachFiles(
  session: ChatSession,
  references: readonly string[],
): Promise<Attachment[]> {
  const attachments: Attachment[] = [];
  for (const reference of references) attachments.push(...await read(reference));
  session.attachments.push(...attachments);
  return attachments;
}

/** The names and sizes of attachments. */
export function describeAttachments(attachments: readonly Attachment[]): string {
  return attachments.map(({ name, bytes: size }) => size > 0 ? `${name} (${bytes(size)})` : name)
    .join(", ");
}
