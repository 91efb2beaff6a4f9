/**
 * A chat without a terminal, or on one without cursor control: each line of stdin is a message. The
 * first failure ends it, because later messages depend on the answer.
 *
 * @module
 */
import process from "node:process";
import * as readline from "node:readline";
import { EXIT } from "../exit_codes.ts";
import { onStopSignals } from "../signals.ts";
import { colored, writeNote } from "../terminal/output.ts";
import { AnswerView } from "../conversation/answer_view.ts";
import type { ChatContext } from "./chat_context.ts";
import { describeTurn } from "./describe.ts";
import { MessageBuilder } from "./editor/message_builder.ts";
import { isExitWord, runSlashCommand } from "./slash_commands/slash_commands.ts";

/** The options of a line-by-line chat. */
export interface LineChatOptions
  extends Pick<ChatContext, "session" | "config" | "flags" | "store" | "view"> {
  /** The message given on the command line. */
  first: string | undefined;
  verbose: boolean;
}

async function* readMessages(
  first: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<string, void, void> {
  if (first !== undefined) yield first;
  const message = new MessageBuilder();
  // stdin is a terminal here only if TERM is "dumb" or all output is redirected.
  const prompt = () =>
    process.stdin.isTTY && process.stderr.write(message.isIncomplete ? "… " : "> ");
  const input = readline.createInterface({ input: process.stdin, crlfDelay: Infinity, signal });
  prompt();
  for await (const line of input) {
    const complete = message.push(line);
    if (complete !== undefined && complete.trim() !== "") yield complete;
    prompt();
  }
  if (signal.aborted) return;
  const unfinished = message.finish();
  if (unfinished.trim() !== "") yield unfinished;
}

/**
 * Chats until the input ends.
 *
 * @returns the number of messages and commands read
 */
export async function chatByLine(options: LineChatOptions): Promise<number> {
  const { session, config, flags, store, view, verbose } = options;
  const interruption = new AbortController();
  const signals = onStopSignals((count) => {
    if (count === 1) interruption.abort();
    else process.exit(EXIT.interrupted);
  });
  let isExiting = false;
  const context: ChatContext = {
    session,
    config,
    flags,
    store,
    view,
    terminal: undefined,
    say: writeNote,
    async answer(send) {
      const turn = await send(new AnswerView(view), interruption.signal);
      if (turn?.interrupted) process.exitCode = EXIT.interrupted;
      else if (turn !== undefined && verbose) {
        writeNote(colored("dim", describeTurn(turn, session.server.isLocal)));
      }
    },
    ask: undefined,
    lend: (run) => run(),
    remember() {},
    exit: () => isExiting = true,
  };
  let messages = 0;
  for await (const message of readMessages(options.first, interruption.signal)) {
    messages++;
    // Piped text may contain these words as messages.
    if (process.stdin.isTTY && isExitWord(message)) break;
    if (await runSlashCommand(context, message)) {
      if (isExiting) break;
      continue;
    }
    await context.answer((view, signal) => session.send(message.trim(), view, signal));
    if (interruption.signal.aborted) break;
  }
  if (process.stdin.isTTY) process.stderr.write("\n");
  if (interruption.signal.aborted) process.exitCode = EXIT.interrupted;
  signals.release();
  return messages;
}
