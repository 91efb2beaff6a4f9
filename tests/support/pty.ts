/**
 * Runs a command on a real pseudoterminal, types keys and reads the screen. `script` from util-linux or macOS
 * creates the terminal, since neither Deno nor Bun can; xterm.js interprets the output.
 */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { clearTimeout, setTimeout } from "node:timers";
import { commandEnv, commandLine } from "./cli.ts";
import { EmulatedTerminal } from "./emulated_terminal.ts";
import { type TemporaryFolder, temporaryFolder } from "./temporary_folder.ts";

/** A timeout that is generous enough for a busy machine. */
const PATIENCE = 180_000;

const IS_BSD = process.platform === "darwin";

export const KEYS = {
  enter: "\r",
  down: "\x1b[B",
  up: "\x1b[A",
  ctrlC: "\x03",
  ctrlD: "\x04",
  tab: "\t",
  escape: "\x1b",
  backspace: "\x7f",
} as const;

export interface PtyOptions {
  columns?: number;
  rows?: number;
  env?: Record<string, string>;
  /** A program to run instead of flexllm. */
  program?: readonly string[];
  /** The home directory, also the working directory. */
  home: string;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

export class Pty implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #terminal: EmulatedTerminal;
  readonly #folder: TemporaryFolder;
  readonly #ended: Promise<number | null>;
  readonly #watchers = new Set<() => void>();
  #over = false;
  /** Everything that was written to the terminal. */
  output = "";

  constructor(args: readonly string[], options: PtyOptions) {
    const { columns = 100, rows = 30, home } = options;
    this.#folder = temporaryFolder();
    this.#terminal = new EmulatedTerminal({ columns, rows });
    const environment = { ...commandEnv(), HOME: home, TERM: "xterm-256color", ...options.env };
    const assignments = Object.entries(environment).map(([name, value]) =>
      `${name}=${quote(value)}`
    );
    const command = [
      ...assignments,
      ...[...options.program ?? commandLine(), ...args].map(quote),
    ].join(" ");
    const setup = `tty > ${quote(this.#folder.file("tty"))}; stty rows ${rows} cols ${columns}`;
    const shell = `${setup}; exec env -i ${command}`;
    // BSD's `script` always returns the exit code.
    const script = IS_BSD ? ["-q", "/dev/null", "sh", "-c", shell] : ["-qfec", shell, "/dev/null"];
    this.#child = spawn("script", script, {
      cwd: home,
      env: { PATH: "/usr/bin:/bin", SHELL: "/bin/sh" },
    });
    this.#child.stdin.on("error", () => {});
    this.#child.stdout.setEncoding("utf8");
    this.#child.stdout.on("data", (text: string) => {
      this.output += text;
      this.#terminal.write(text);
      this.#wake();
    });
    this.#ended = new Promise((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("close", (code) => {
        this.#over = true;
        this.#wake();
        resolve(code);
      });
    });
  }

  #wake(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** Types keys, in one write. */
  type(...keys: string[]): void {
    this.#child.stdin.write(keys.join(""));
  }

  /** The screen, including the scrollback. */
  async screen(): Promise<string> {
    return (await this.#terminal.allRows()).join("\n");
  }

  /** Waits until the screen shows `pattern`. Returns the screen. */
  async shows(pattern: RegExp): Promise<string> {
    const deadline = performance.now() + PATIENCE;
    while (true) {
      const screen = await this.screen();
      if (pattern.test(screen)) return screen;
      if (this.#over || performance.now() > deadline) {
        throw new Error(`the screen never showed ${pattern}:\n${screen}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000);
        const watcher = () => {
          clearTimeout(timer);
          this.#watchers.delete(watcher);
          resolve();
        };
        this.#watchers.add(watcher);
      });
    }
  }

  /** Resizes the terminal and notifies the command. */
  async resize(columns: number, rows: number): Promise<void> {
    const file = this.#folder.file("tty");
    if (!existsSync(file)) throw new Error("the terminal is not there yet");
    await this.#terminal.resize(columns, rows);
    const tty = readFileSync(file, "utf8").trim();
    execFileSync("stty", [
      IS_BSD ? "-f" : "-F",
      tty,
      "rows",
      String(rows),
      "cols",
      String(columns),
    ]);
  }

  /** Waits for the exit code; 128 plus the signal's number if a signal ended the command. */
  exitCode(): Promise<number | null> {
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
    this.#terminal[Symbol.dispose]();
    this.#folder[Symbol.dispose]();
  }
}
