/**
 * Runs the command of a keychain, with a time limit.
 *
 * Secrets travel through stdin and stdout: other users can read the arguments of a process. The shell is the
 * only program that the compiled binary may run, and it replaces itself with the command.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import type { Environment } from "../files/paths.ts";
import { AbortedError, ConfigurationError } from "../errors.ts";

/** Longest wait for a keychain, which may show a prompt that nobody answers; in seconds. */
export const KEYCHAIN_TIMEOUT = 30;

/** How a command ended. */
export interface CommandResult {
  status: number;
  stdout: string;
  stderr: string;
}

/** A command line, and what it reads. */
export interface KeychainCommand {
  program: string;
  args: readonly string[];
  /** Text for stdin. Default: stdin is empty. */
  input?: string;
  /** Default: that of this process. */
  env?: Environment;
  /** The keychain's name for users. */
  title: string;
  /** What to do if it does not respond. */
  hint: string;
}

/** Runs `script`, in which the arguments are `$1`, `$2` and so on. */
export function shellCommand(
  script: string,
  args: readonly string[],
): Pick<KeychainCommand, "program" | "args"> {
  return { program: "/bin/sh", args: ["-c", script, "sh", ...args] };
}

/**
 * Runs a command to its end. It blocks this process: a key is read before anything is sent.
 *
 * @param timeout seconds
 * @throws {ConfigurationError} if the command cannot be run or does not finish in time
 * @throws {AbortedError} if the user interrupts it
 */
export function runKeychainCommand(
  { program, args, input, env, title, hint }: KeychainCommand,
  timeout: number = KEYCHAIN_TIMEOUT,
): CommandResult {
  const { status, signal, stdout, stderr, error } = spawnSync(program, [...args], {
    input,
    env: env as NodeJS.ProcessEnv | undefined,
    timeout: timeout * 1000,
    killSignal: "SIGKILL",
    encoding: "utf8",
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    windowsHide: true,
  });
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === "ETIMEDOUT") {
    throw new ConfigurationError(`${title} did not respond within ${timeout} s`, { hint });
  }
  if (signal === "SIGINT") throw new AbortedError(`interrupted while waiting for ${title}`);
  if (error !== undefined) {
    // Its exit code and message are lost then.
    const reason = code === "EPIPE" ? "its command ended without reading the key" : error.message;
    throw new ConfigurationError(`cannot use ${title}: ${reason}`, { cause: error, hint });
  }
  return { status: status ?? -1, stdout: stdout ?? "", stderr: stderr ?? "" };
}
