/**
 * A chat without a terminal: every line that is piped in is a message. The first failure ends it, as
 * what follows depends on it.
 *
 * @module
 */
import process from "node:process";
import * as readline from "node:readline";
import { EXIT } from "../exit_codes.ts";
import { onStopSignals } from "../signals.ts";
import { colored, writeNote } from "../terminal/output.ts";
import { AnswerView, type ViewOptions } from "../conversation/answer_view.ts";
import type { ChatContext } from "./context.ts";
import { describeTurn } from "./describe.ts";
import { MessageLines } from "./editor/message_lines.ts";
import { runSlashCommand } from "./slash_commands.ts";

/** What a piped chat begins with. */
export interface PipedOptions extends Pick<ChatContext, "session" | "config" | "flags"> {
  view: ViewOptions;
  /** The message that stood on the command line. */
  first: string | undefined;
  verbose: boolean;
}

async function* messagesOf(
  first: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<string, void, void> {
  if (first !== undefined) yield first;
  const lines = new MessageLines();
  // A terminal that cannot be drawn on can still be talked at.
  const prompt = () => process.stdin.isTTY && process.stderr.write(lines.begun ? "… " : "> ");
  const input = readline.createInterface({ input: process.stdin, crlfDelay: Infinity, signal });
  prompt();
  for await (const line of input) {
    const message = lines.push(line);
    if (message !== undefined && message.trim() !== "") yield message;
    prompt();
  }
  if (signal.aborted) return;
  const rest = lines.end();
  if (rest.trim() !== "") yield rest;
}

/**
 * Chats until the input ends.
 *
 * @returns how many messages there were
 */
export async function chatPiped(options: PipedOptions): Promise<number> {
  const { session, config, flags, view, verbose } = options;
  const stopping = new AbortController();
  const signals = onStopSignals((count) => {
    if (count === 1) stopping.abort();
    else process.exit(EXIT.interrupted);
  });
  let leaving = false;
  const context: ChatContext = {
    session,
    config,
    flags,
    say: writeNote,
    async answer(ask) {
      const turn = await ask(new AnswerView(view), stopping.signal);
      if (turn?.interrupted) process.exitCode = EXIT.interrupted;
      else if (turn !== undefined && verbose) writeNote(colored("dim", describeTurn(turn)));
    },
    confirm: undefined,
    leave: () => leaving = true,
  };
  let messages = 0;
  for await (const message of messagesOf(options.first, stopping.signal)) {
    messages++;
    if (await runSlashCommand(context, message)) {
      if (leaving) break;
      continue;
    }
    await context.answer((view, signal) => session.send(message.trim(), view, signal));
    if (stopping.signal.aborted) break;
  }
  if (process.stdin.isTTY) process.stderr.write("\n");
  if (stopping.signal.aborted) process.exitCode = EXIT.interrupted;
  signals.release();
  return messages;
}
