/**
 * A conversation as a document for people.
 *
 * @module
 */
import { type Conversation, textOf, titleOf } from "./conversation.ts";

/** The conversation as Markdown, as it was said: without thinking, images by their names. */
export function toMarkdown(conversation: Conversation): string {
  const { created, model, system, turns } = conversation;
  const sections = [`# ${titleOf(conversation) || "Conversation"}`, `${created}, ${model}`];
  if (system !== undefined) sections.push("## System", system);
  for (const { user, files = [], assistant, interrupted } of turns) {
    sections.push("## User");
    if (files.length > 0) sections.push(`Attached: ${files.join(", ")}`);
    sections.push(textOf(user.content));
    if (assistant === undefined) continue;
    sections.push("## Assistant", textOf(assistant.content));
    if (interrupted) sections.push("*(interrupted)*");
  }
  return `${sections.join("\n\n")}\n`;
}
