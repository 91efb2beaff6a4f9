/**
 * Runs flexllm on a real pseudoterminal, types keys and reads the screen. `script` from util-linux creates
 * the terminal, and xterm.js interprets the output.
 */
import xterm from "@xterm/headless";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import process from "node:process";
import { commandLine } from "./cli.ts";
import { BASE_ENV } from "./cli.ts";
import { type TemporaryFolder, temporaryFolder } from "./temporary_folder.ts";

const SKIP = "FLEXLLM_TESTS_WITHOUT_TERMINAL";

/** Whether tests that need a pseudoterminal are turned off. */
export const withoutTerminal = process.env[SKIP] === "1";

function checkScript(): void {
  const { stdout } = spawnSync("script", ["--version"], { encoding: "utf8" });
  if (/util-linux/.test(stdout ?? "")) return;
  throw new Error(
    `tests of the terminal need "script" of util-linux; install it, or leave them out with ${SKIP}=1`,
  );
}

export interface TerminalOptions {
  env?: Record<string, string>;
  /** The home directory. Default: an empty one. */
  home?: TemporaryFolder;
  cwd?: string;
  /** Shell redirections, e.g. `> answer.txt`. */
  redirect?: string;
}

export interface TestTerminal extends AsyncDisposable {
  process: ChildProcess;
  type(keys: string): void;
  /** The text on the screen, without trailing spaces and lines. */
  screen(): Promise<string>;
  /** Everything that was written, with control sequences. */
  written(): string;
  /** Waits until the screen shows `expected`. Fails after a generous time. */
  shows(expected: string | RegExp): Promise<string>;
  resize(columns: number): void;
  /** The process that runs in the terminal. */
  pid(): number;
  /** Resolves with the exit code. */
  finished: Promise<number | null>;
}

const COLUMNS = 100;
const ROWS = 40;
/** A timeout that is generous enough for a busy machine. */
const PATIENCE = 180_000;

function quoted(argument: string): string {
  return `'${argument.replaceAll("'", "'\\''")}'`;
}

/** Starts a command on a terminal of 100 columns. */
export function startOnTerminal(args: string[], options: TerminalOptions = {}): TestTerminal {
  checkScript();
  const home = options.home ?? temporaryFolder();
  const screen = new xterm.Terminal({
    cols: COLUMNS,
    rows: ROWS,
    scrollback: 1000,
    allowProposedApi: true,
  });
  const command = [...commandLine(), ...args].map(quoted).join(" ");
  // The first line holds the terminal's device and the process ID for the test.
  const path = options.env?.PATH ?? BASE_ENV.PATH;
  const setup = `stty cols ${COLUMNS} rows ${ROWS}; echo "terminal $(tty) $$"; ` +
    `export PATH=${quoted(path)}; exec ${command} ${options.redirect ?? ""}`;
  const child = spawn(
    "script",
    ["--quiet", "--flush", "--return", "--command", setup, "/dev/null"],
    {
      cwd: options.cwd ?? home.path,
      env: {
        ...BASE_ENV,
        SHELL: "/bin/sh",
        TERM: "xterm-256color",
        LANG: "C.UTF-8",
        HOME: home.path,
        ...options.env,
        // Where to find `script`.
        PATH: process.env.PATH!,
      },
    },
  );
  let written = "";
  child.stdin.on("error", () => {});
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (text) => {
    written += text;
    screen.write(text);
  });
  const finished = new Promise<number | null>((resolve) => child.on("close", resolve));

  async function read(): Promise<string> {
    await new Promise<void>((resolve) => screen.write("", resolve));
    const { active } = screen.buffer;
    const lines = Array.from(
      { length: active.length },
      (_, i) => active.getLine(i)!.translateToString(true).trimEnd(),
    );
    return lines.join("\n").trimEnd();
  }

  function setupLine(): RegExpExecArray | null {
    return /terminal (\S+) (\d+)/.exec(written);
  }

  return {
    process: child,
    type: (keys) => child.stdin.write(keys),
    screen: read,
    written: () => written,
    async shows(expected) {
      const end = performance.now() + PATIENCE;
      while (true) {
        const shown = await read();
        const isShown = typeof expected === "string"
          ? shown.includes(expected)
          : expected.test(shown);
        if (isShown) return shown;
        if (performance.now() > end || child.exitCode !== null) {
          throw new Error(`the screen does not show ${expected}:\n${shown}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    resize(columns) {
      screen.resize(columns, ROWS);
      spawnSync("stty", ["-F", setupLine()![1], "cols", String(columns)]);
    },
    pid: () => Number(setupLine()![2]),
    finished,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && setupLine() !== null) {
        // Closing only the terminal would let the program run on and write to its home.
        spawnSync("kill", ["-KILL", setupLine()![2]]);
      }
      // A suspended `script` would never notice that its child ended.
      child.kill("SIGKILL");
      await finished;
      screen.dispose();
      if (options.home === undefined) home[Symbol.dispose]();
    },
  };
}
