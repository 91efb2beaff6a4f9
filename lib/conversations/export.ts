/**
 * Exports a conversation as Markdown.
 *
 * @module
 */
import { type Conversation, textOf, titleOf } from "./conversation.ts";

/** The conversation as Markdown: without thinking, and with the names of attached files. */
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
