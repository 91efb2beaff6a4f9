/**
 * A chat on a terminal.
 *
 * @module
 */
import process from "node:process";
import type { WriteStream } from "node:tty";
import { EXIT } from "../exit_codes.ts";
import { printable } from "../terminal/sanitize.ts";
import { reportError } from "../errors/report.ts";
import { colored, writeNote } from "../terminal/output.ts";
import { AnswerView, type ViewOptions } from "../conversation/answer_view.ts";
import { completeLine } from "./editor/complete.ts";
import type { ChatContext } from "./context.ts";
import { describeTurn } from "./describe.ts";
import type { History } from "./editor/history.ts";
import { Keyboard } from "./editor/keyboard.ts";
import { MessageLines } from "./editor/message_lines.ts";
import { runSlashCommand } from "./slash_commands.ts";
import { Spinner } from "../terminal/spinner.ts";

/** What a chat on a terminal begins with. */
export interface InteractiveOptions extends Pick<ChatContext, "session" | "config" | "flags"> {
  history: History;
  view: ViewOptions;
  /** The message that stood on the command line. */
  first: string | undefined;
  verbose: boolean;
}

const PROMPT = `${colored("bold", ">")} `;

/** Where prompts go: to stderr, unless it is redirected. */
function screen(): WriteStream {
  return process.stderr.isTTY ? process.stderr : process.stdout;
}

/** One chat. */
class InteractiveChat implements ChatContext {
  readonly session;
  readonly config;
  readonly flags;
  readonly #options: InteractiveOptions;
  readonly #keyboard = new Keyboard(process.stdin, screen());
  readonly #lines = new MessageLines();
  #answering: AbortController | undefined;
  #leaving = false;
  /** Whether the last thing that was done is a Ctrl-C: another one leaves. */
  #interrupted = false;

  constructor(options: InteractiveOptions) {
    this.#options = options;
    this.session = options.session;
    this.config = options.config;
    this.flags = options.flags;
  }

  async run(): Promise<void> {
    const onSignal = () => this.#keyboard.interrupt();
    const onEnd = () => {
      // Don't wait a second time for anything that still blocks the exit.
      if (this.#leaving) process.exit(EXIT.interrupted);
      this.leave();
      this.#answering?.abort();
      this.#keyboard.end();
      process.exitCode = EXIT.interrupted;
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onEnd);
    process.on("SIGHUP", onEnd);
    this.#keyboard.onInterrupt = () => {
      this.#interrupted = true;
      this.#answering?.abort();
    };
    this.#keyboard.open();
    try {
      const { first } = this.#options;
      if (first !== undefined) {
        writeNote(`${PROMPT}${printable(first)}`);
        await this.#handle(first);
      }
      while (!this.#leaving) await this.#next();
    } finally {
      this.#keyboard.close();
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onEnd);
      process.off("SIGHUP", onEnd);
    }
  }

  say = (line: string): void => writeNote(line);

  leave = (): void => {
    this.#leaving = true;
  };

  confirm = async (question: string): Promise<boolean> => {
    const read = await this.#keyboard.read({ prompt: question, unexpected: true });
    if (read.type === "end") this.leave();
    return read.type === "line" && /^y(es)?$/i.test(read.text.trim());
  };

  answer: ChatContext["answer"] = async (ask) => {
    const answering = this.#answering = new AbortController();
    writeNote("");
    const waiting = new Spinner();
    try {
      const turn = await ask(new AnswerView({ ...this.#options.view, waiting }), answering.signal);
      waiting.clear();
      if (turn === undefined) return;
      if (turn.interrupted) {
        return writeNote(`${colored("yellow", "Interrupted; /retry asks again.")}\n`);
      }
      if (turn.assistant?.content === "") writeNote(colored("yellow", "The answer is empty."));
      writeNote(`\n${colored("dim", describeTurn(turn))}\n`);
    } finally {
      waiting.clear();
      this.#answering = undefined;
    }
  };

  /** Reads one line and does what it asks for. */
  async #next(): Promise<void> {
    const begun = this.#lines.begun;
    const read = await this.#keyboard.read({
      prompt: begun ? colored("dim", "… ") : PROMPT,
      history: this.#options.history.entries,
      complete: (line) => begun ? [[], line] : completeLine(line, this.config),
    });
    if (read.type === "end") return this.leave();
    if (read.type === "interrupt") {
      // Twice leaves; a line that has been written since is only cleared.
      if (this.#interrupted && read.text === "") return this.leave();
      this.#lines.end();
      this.#interrupted = true;
      return writeNote(colored("dim", "Ctrl-C again leaves."));
    }
    this.#interrupted = false;
    const message = this.#lines.push(read.text);
    if (message === undefined || message.trim() === "") return;
    this.#options.history.add(message);
    await this.#handle(message);
  }

  /** Runs a command or sends a message; what goes wrong is told, and the chat goes on. */
  async #handle(message: string): Promise<void> {
    try {
      if (await runSlashCommand(this, message)) return;
      await this.answer((view, signal) => this.session.send(message.trim(), view, signal));
    } catch (error) {
      reportError(error, this.#options.verbose);
    }
  }
}

/** Chats until the person leaves. */
export async function chatInteractively(options: InteractiveOptions): Promise<void> {
  await new InteractiveChat(options).run();
}
