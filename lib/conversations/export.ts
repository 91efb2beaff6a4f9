/**
 * Exports conversations as Markdown, JSON, JSON lines or HTML.
 *
 * @module
 */
import type { Message } from "../chat/messages.ts";
import { type Conversation, requestMessages, textOf, titleOf } from "./conversation.ts";
import type { ExportFormat } from "./export_formats.ts";
import { toHtml } from "./export_html.ts";

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
    for (const { function: { name, arguments: given } } of assistant.tool_calls ?? []) {
      sections.push(`Called \`${name}\`:`, `\`\`\`json\n${given}\n\`\`\``);
    }
    if (interrupted) sections.push("*(interrupted)*");
  }
  return `${sections.join("\n\n")}\n`;
}

/** A message in the form that every service accepts, without the provider's own form of it. */
function portable(message: Message): Message {
  if (message.role !== "assistant") return message;
  const { providerMessage: _, ...rest } = message;
  return rest;
}

/** One line of JSON with the messages: an input of `flexllm batch`, and a record of training data. */
function toLine(conversation: Conversation): string {
  const { id, created, model } = conversation;
  const messages = requestMessages(conversation).map(portable);
  return JSON.stringify({ id, title: titleOf(conversation), created, model, messages });
}

/**
 * Exports conversations in one text.
 *
 * @param asList whether JSON is an array even for a single conversation
 */
export function exportConversations(
  conversations: readonly Conversation[],
  format: ExportFormat,
  asList: boolean,
): string {
  switch (format) {
    case "md":
      return conversations.map(toMarkdown).join("\n---\n\n");
    case "json":
      return `${JSON.stringify(asList ? conversations : conversations[0], null, 2)}\n`;
    case "jsonl":
      return conversations.map((conversation) => `${toLine(conversation)}\n`).join("");
    case "html":
      return toHtml(conversations);
  }
}
