/**
 * Prints a whole conversation for reading.
 *
 * @module
 */
import process from "node:process";
import {
  type Conversation,
  textOf,
  titleOf,
  type Turn,
  typedText,
} from "../../lib/conversations/conversation.ts";
import { safeUrl } from "../../lib/redact.ts";
import { describeTotals, describeTurn } from "../chat/describe.ts";
import { minute } from "../chat/conversation_table.ts";
import { AnswerView } from "../conversation/answer_view.ts";
import { counted } from "../terminal/format.ts";
import { colored, type Style, writeOutput } from "../terminal/output.ts";
import { printable } from "../terminal/sanitize.ts";
import { widthOfStream, wrapped } from "../terminal/wrap.ts";

/** How a conversation is printed. */
export interface PrintOptions {
  /** Print thinking in full, not only its length. */
  thinking: boolean;
  /** Render the Markdown of answers. */
  markdown: boolean;
}

/** Longest arguments of a tool call, in characters. */
const MAX_ARGUMENTS = 500;

function paint(style: Style, text: string): string {
  return colored(style, text, process.stdout);
}

/** Prints text: wrapped on a terminal, unchanged elsewhere. */
function printText(text: string, style?: Style): void {
  const width = widthOfStream(process.stdout);
  const lines = printable(text).split("\n").flatMap((line) =>
    width === undefined ? [line] : wrapped(line, width)
  );
  writeOutput(`${lines.map((line) => style ? paint(style, line) : line).join("\n")}\n`);
}

/** Prints who speaks, and facts about it. */
function printHeading(name: string, ...facts: string[]): void {
  const shown = facts.filter((fact) => fact !== "").map((fact) => printable(fact)).join(" · ");
  writeOutput(`\n${paint("bold", name)}${shown === "" ? "" : `  ${paint("dim", shown)}`}\n`);
}

/** The parts of a message other than text, such as `1 image`. */
function attachedParts({ user: { content } }: Turn): string[] {
  if (typeof content === "string") return [];
  const names: Record<string, string> = { image_url: "image", input_audio: "audio file" };
  const counts = new Map<string, number>();
  for (const { type } of content) {
    if (type === "text") continue;
    const name = names[type] ?? "file";
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => counted(count, name));
}

function printThinking(thinking: string, isFull: boolean): void {
  if (isFull) return printText(`${thinking.trim()}\n`, "dim");
  const words = thinking.trim().split(/\s+/).length;
  printText(`(thinking: ${counted(words, "word")}; --show-thinking shows it)`, "dim");
}

async function printAnswer(turn: Turn, { thinking, markdown }: PrintOptions): Promise<void> {
  const { assistant, interrupted, model = "" } = turn;
  printHeading("Assistant", model);
  if (turn.thinking) printThinking(turn.thinking, thinking);
  const text = textOf(assistant?.content);
  if (text !== "") {
    const view = new AnswerView({ markdown, thinking: false });
    await view.showText(text);
    await view.end();
  }
  for (const { function: { name, arguments: given } } of assistant?.tool_calls ?? []) {
    const shown = given.length > MAX_ARGUMENTS ? `${given.slice(0, MAX_ARGUMENTS)}…` : given;
    printText(`→ ${name}(${shown})`, "green");
  }
  if (interrupted) printText("(interrupted)", "yellow");
  // The model is in the heading.
  if (assistant && !interrupted) {
    printText(describeTurn({ ...turn, model: undefined }, false), "dim");
  }
}

/** Prints a conversation to stdout. */
async function printConversation(
  conversation: Conversation,
  options: PrintOptions,
): Promise<void> {
  const { id, created, model, base_url, system, turns } = conversation;
  printText(titleOf(conversation) || "(no text)", "bold");
  const server = base_url === undefined ? "" : ` at ${safeUrl(base_url)}`;
  printText(
    `${id} · ${minute(created)} · ${model}${server} · ${counted(turns.length, "turn")}`,
    "dim",
  );
  if (turns.length > 1) printText(describeTotals(conversation, false), "dim");
  if (system !== undefined) {
    printHeading("System");
    printText(system);
  }
  for (const turn of turns) {
    const attached = turn.files?.length ? turn.files : attachedParts(turn);
    printHeading("User", minute(turn.at));
    const text = typedText(turn).trim();
    if (text !== "") printText(text);
    if (attached.length > 0) printText(`Attached: ${attached.join(", ")}`, "dim");
    if (turn.assistant !== undefined || turn.thinking || turn.interrupted) {
      await printAnswer(turn, options);
    } else printText("(no answer)", "yellow");
  }
}

/** Prints conversations, with a line between them. */
export async function printConversations(
  conversations: readonly Conversation[],
  options: PrintOptions,
): Promise<void> {
  for (const [i, conversation] of conversations.entries()) {
    if (i > 0) {
      const width = Math.min(widthOfStream(process.stdout) ?? 40, 80);
      writeOutput(`\n${paint("dim", "─".repeat(width))}\n\n`);
    }
    await printConversation(conversation, options);
  }
}
