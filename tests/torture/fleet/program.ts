/** Starts programs of the fleet's tests, which end with this process. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";

/** A program in a process of its own. */
export class Program implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;

  /** Starts `source`, a file of this folder, with an order. */
  constructor(source: string, order: object) {
    const file = new URL(source, import.meta.url).pathname;
    const args = ["run", "-A", "--quiet", "--no-check", file, JSON.stringify(order)];
    // It ends when its stdin is closed, also when this process is killed.
    this.#child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdin!.on("error", () => {});
    this.#exit = once(this.#child, "exit");
    createInterface({ input: this.#child.stdout! }).on("line", (line) => this.lines.push(line));
  }

  /** Sends a signal, unless it has ended. */
  signal(name: NodeJS.Signals): void {
    if (!this.hasEnded) process.kill(this.#child.pid!, name);
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Lets it finish what it does, and waits for its end. */
  async end(): Promise<void> {
    this.#child.stdin!.end();
    if (!this.hasEnded) await this.#exit;
  }

  async kill(): Promise<void> {
    this.signal("SIGKILL");
    if (!this.hasEnded) await this.#exit;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
