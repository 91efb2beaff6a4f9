/**
 * A chat on a terminal: prompts, answers, slash commands and signals.
 *
 * @module
 */
import process from "node:process";
import type { WriteStream } from "node:tty";
import { ConfigurationError } from "../../lib/errors.ts";
import { EXIT } from "../exit_codes.ts";
import { printable } from "../terminal/sanitize.ts";
import { reportError } from "../errors/report.ts";
import { colored, writeNote } from "../terminal/output.ts";
import { screenWidth, wrapped } from "../terminal/wrap.ts";
import { Spinner } from "../terminal/spinner.ts";
import { AnswerView } from "../conversation/answer_view.ts";
import type { ChatContext } from "./chat_context.ts";
import { describeTurn } from "./describe.ts";
import { completeLine } from "./editor/complete.ts";
import type { History } from "./editor/history.ts";
import { LineEditor } from "./editor/line_editor.ts";
import { MessageBuilder } from "./editor/message_builder.ts";
import { isExitWord, runSlashCommand } from "./slash_commands/slash_commands.ts";

/** The options of a chat on a terminal. */
export interface InteractiveOptions
  extends Pick<ChatContext, "session" | "config" | "flags" | "store" | "view"> {
  history: History;
  /** The message given on the command line. */
  first: string | undefined;
  verbose: boolean;
}

const PROMPT = `${colored("bold", ">")} `;

/** Where prompts are shown: stderr, or stdout if stderr is redirected. */
function screen(): WriteStream {
  return process.stderr.isTTY ? process.stderr : process.stdout;
}

/** Whether a model was asked for a kind of thinking that it does not support. */
function isAboutThinking(error: unknown): boolean {
  return error instanceof ConfigurationError && /\boption thinking\b/.test(error.message);
}

class InteractiveChat implements ChatContext {
  readonly session;
  readonly config;
  readonly flags;
  readonly store;
  readonly view;
  readonly terminal = screen();
  readonly #options: InteractiveOptions;
  readonly #editor = new LineEditor(process.stdin, this.terminal);
  readonly #message = new MessageBuilder();
  /** Aborts the answer that is arriving. */
  #answering: AbortController | undefined;
  #isExiting = false;
  /** Whether the last action was a Ctrl-C: a second one exits. */
  #wasInterrupted = false;

  constructor(options: InteractiveOptions) {
    this.#options = options;
    this.session = options.session;
    this.config = options.config;
    this.flags = options.flags;
    this.store = options.store;
    this.view = options.view;
  }

  async run(): Promise<void> {
    const onInterrupt = () => this.#editor.interrupt();
    const onTerminate = () => {
      // A second signal doesn't wait for whatever still blocks the exit.
      if (this.#isExiting) process.exit(EXIT.interrupted);
      this.exit();
      this.#answering?.abort();
      this.#editor.end();
      process.exitCode = EXIT.interrupted;
    };
    process.on("SIGINT", onInterrupt);
    process.on("SIGTERM", onTerminate);
    process.on("SIGHUP", onTerminate);
    this.#editor.onInterrupt = () => {
      this.#wasInterrupted = true;
      this.#answering?.abort();
    };
    this.#editor.open();
    try {
      const { first } = this.#options;
      if (first !== undefined) {
        writeNote(`${PROMPT}${printable(first)}`);
        await this.#handle(first);
      }
      while (!this.#isExiting) await this.#readLine();
    } finally {
      this.#editor.close();
      process.off("SIGINT", onInterrupt);
      process.off("SIGTERM", onTerminate);
      process.off("SIGHUP", onTerminate);
    }
  }

  say = (text: string): void => {
    for (const line of text.split("\n")) {
      wrapped(line, screenWidth()).forEach((row) => writeNote(row));
    }
  };

  exit = (): void => {
    this.#isExiting = true;
  };

  ask = async (question: string): Promise<string | undefined> => {
    const result = await this.#editor.read({ prompt: question, skipTypeahead: true });
    if (result.type === "end") this.exit();
    return result.type === "line" ? result.text.trim() : undefined;
  };

  lend = <T>(run: () => Promise<T>): Promise<T> => this.#editor.lend(run);

  remember = (message: string): void => this.#options.history.add(message);

  answer: ChatContext["answer"] = async (send) => {
    const answering = this.#answering = new AbortController();
    writeNote("");
    const spinner = new Spinner();
    try {
      const view = new AnswerView({ ...this.view, spinner });
      const turn = await send(view, answering.signal);
      spinner.clear();
      if (turn === undefined) return;
      if (turn.interrupted) {
        return writeNote(`${colored("yellow", "Interrupted. /retry sends it again.")}\n`);
      }
      if (turn.assistant?.content === "") writeNote(colored("yellow", "The answer is empty."));
      writeNote(`\n${colored("dim", describeTurn(turn, this.session.server.isLocal))}\n`);
    } finally {
      spinner.clear();
      this.#answering = undefined;
    }
  };

  /** Reads one line and handles the message that it completes. */
  async #readLine(): Promise<void> {
    const { isIncomplete } = this.#message;
    const result = await this.#editor.read({
      prompt: isIncomplete ? colored("dim", "… ") : PROMPT,
      history: this.#options.history.entries,
      complete: (line) => isIncomplete ? [[], line] : completeLine(line, this),
    });
    if (result.type === "end") return this.exit();
    if (result.type === "interrupt") {
      // A second Ctrl-C exits, unless there is text to clear first.
      if (this.#wasInterrupted && result.text === "") return this.exit();
      this.#message.finish();
      this.#wasInterrupted = true;
      return writeNote(colored("dim", "Press Ctrl-C again to exit."));
    }
    this.#wasInterrupted = false;
    const message = this.#message.push(result.text);
    if (message === undefined || message.trim() === "") return;
    if (isExitWord(message)) return this.exit();
    this.remember(message);
    await this.#handle(message);
  }

  /** Runs a slash command or sends a message. Errors are reported without ending the chat. */
  async #handle(message: string): Promise<void> {
    try {
      if (await runSlashCommand(this, message)) return;
      await this.answer((view, signal) => this.session.send(message.trim(), view, signal));
    } catch (error) {
      reportError(error, this.#options.verbose);
      const { thinking } = this.session.conversation;
      if (thinking !== undefined && isAboutThinking(error)) {
        this.say("Set another level with /thinking, or none with /thinking default; then /retry.");
      }
    }
  }
}

/** Runs a chat on a terminal until the user exits. */
export async function chatInteractively(options: InteractiveOptions): Promise<void> {
  await new InteractiveChat(options).run();
}
