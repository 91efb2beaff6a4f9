/**
 * Runs flexllm like a user: from source, or the binary in `FLEXLLM_BINARY` with an empty PATH. Unless a test
 * sets it, the home directory is empty.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { resolve } from "node:path";
import process from "node:process";
import { temporaryFolder } from "./temporary_folder.ts";

export const ROOT = new URL("../..", import.meta.url).pathname;
const BINARY = process.env.FLEXLLM_BINARY && resolve(ROOT, process.env.FLEXLLM_BINARY);

function denoFolder(): string {
  return JSON.parse(execFileSync(process.execPath, ["info", "--json"], { encoding: "utf8" }))
    .denoDir;
}

/** What Deno runs: CI sets a bundle of main.ts, which starts in less time. */
const SCRIPT = resolve(ROOT, process.env.FLEXLLM_SCRIPT ?? "main.ts");

const [COMMAND, ...FIRST_ARGUMENTS] = BINARY
  ? [BINARY]
  : [process.execPath, "run", "--quiet", "-P=cli", "--no-prompt", "--frozen", SCRIPT];
/** A command that takes longer, in milliseconds, is considered to hang. */
const LONGEST = 600_000;
/** The environment of every run. */
export const BASE_ENV: Record<string, string> = BINARY
  ? { PATH: "" }
  : { DENO_DIR: denoFolder(), PATH: "" };

/** The command and its first arguments, for tests that run it through a shell. */
export function commandLine(): string[] {
  return [COMMAND, ...FIRST_ARGUMENTS];
}

/** The environment that the command needs, without a home. */
export function commandEnv(): Record<string, string> {
  return { ...BASE_ENV };
}

export interface RunOptions {
  /** Text or bytes to pipe in. Default: stdin is closed immediately. */
  stdin?: string | Uint8Array;
  env?: Record<string, string>;
  cwd?: string;
  /** Run `sh` with these arguments instead of flexllm. */
  shell?: string[];
}

export interface Finished {
  /** `null` if a signal ended the process. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running extends AsyncDisposable {
  process: ChildProcess;
  /** Sends a signal. With Deno's own `kill`, no exit code would be reported. */
  signal: (name: NodeJS.Signals) => void;
  /** All of standard output so far. */
  stdout: () => string;
  /** Resolves with the end of the process. */
  finished: Promise<Finished>;
}

/** Starts a command. */
export function start(args: string[], options: RunOptions = {}): Running {
  const home = temporaryFolder();
  const command = options.shell === undefined ? COMMAND : "/bin/sh";
  const child = spawn(command, options.shell ?? [...FIRST_ARGUMENTS, ...args], {
    cwd: options.cwd ?? home.path,
    env: { ...BASE_ENV, HOME: home.path, NO_COLOR: "1", ...options.env },
  });
  child.stdin.on("error", () => {});
  child.stdin.end(options.stdin ?? "");
  let stdout = "";
  child.stdout.on("data", (chunk) => stdout += chunk);
  const stderr = text(child.stderr);
  let hangs = false;
  const alarm = setTimeout(() => {
    hangs = true;
    child.kill("SIGKILL");
  }, LONGEST);
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on("close", async (code, signal) => {
      clearTimeout(alarm);
      home[Symbol.dispose]();
      const error = `flexllm ${args.join(" ")} hangs; it had written: ${await stderr}`;
      if (hangs) reject(new Error(error));
      else resolve({ code, signal, stdout, stderr: await stderr });
    });
  });
  return {
    process: child,
    signal(name) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      try {
        process.kill(child.pid!, name);
      } catch (error) {
        // The process may have exited without us having been notified yet.
        if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
      }
    },
    stdout: () => stdout,
    finished,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await finished;
    },
  };
}

/** Runs a command and waits until it exits. */
export async function flexllm(args: string[], options: RunOptions = {}): Promise<Finished> {
  return await start(args, options).finished;
}
