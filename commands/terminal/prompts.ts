/**
 * Questions to the person at the terminal. They are written to stderr: stdout is for results.
 *
 * @module
 */
import {
  autocomplete,
  type CANCEL_SYMBOL,
  confirm,
  isCancel,
  log,
  password,
  select,
  text,
  updateSettings,
} from "@clack/prompts";
import process from "node:process";
import { AbortedError, ConfigurationError } from "../../lib/errors.ts";
import { screenWidth, wrapped } from "./wrap.ts";

const output = process.stderr;

// Ctrl-D closes the library's reader of lines, after which no key would be heard: it cancels.
updateSettings({ aliases: { "\x04": "cancel" } });

/** Something to choose. */
export interface Choice<T extends string> {
  value: T;
  label: string;
  hint?: string;
}

/** Whether somebody can be asked: at a terminal that can draw lists. */
export function canAsk(): boolean {
  const { stdin, stderr, env } = process;
  return stdin.isTTY === true && stderr.isTTY === true && env.TERM !== "dumb";
}

function answered<T>(answer: T | typeof CANCEL_SYMBOL): T {
  if (isCancel(answer)) throw new AbortedError("cancelled; nothing was changed");
  return answer;
}

/** Lets choose one of a few. */
export async function choose<T extends string>(
  message: string,
  choices: Choice<T>[],
  initialValue?: T,
): Promise<T> {
  const options = choices as { value: string; label: string; hint?: string }[];
  return answered(await select<string>({ message, options, initialValue, output })) as T;
}

/** Lets choose one of many, also by typing a part of its label. */
export async function pick<T extends string>(message: string, choices: Choice<T>[]): Promise<T> {
  const options = choices as { value: string; label: string; hint?: string }[];
  const filter = (typed: string, { label = "" }: { label?: string }) =>
    label.toLowerCase().includes(typed.trim().toLowerCase());
  return answered(
    await autocomplete<string>({ message, options, maxItems: 20, filter, output }),
  ) as T;
}

/** Lets choose one of many by typing a part of it, or type one that is not there. */
export async function search(message: string, values: string[]): Promise<string> {
  const options = function (this: { userInput: string }) {
    const typed = this.userInput.trim();
    const found = values.filter((value) => value.toLowerCase().includes(typed.toLowerCase()));
    const listed = found.map((value) => ({ value, label: value }));
    const isOther = typed !== "" && !values.includes(typed);
    return isOther ? [...listed, { value: typed, label: `${typed} (not listed)` }] : listed;
  };
  return answered(
    await autocomplete<string>({ message, options, maxItems: 10, filter: () => true, output }),
  );
}

/** Asks for a line; `problem` says what is wrong with it. */
export async function askLine(
  message: string,
  problem: (line: string) => string | undefined,
  initialValue = "",
): Promise<string> {
  const validate = (line: string | undefined) => problem((line ?? "").trim());
  return answered(await text({ message, initialValue, validate, output })).trim();
}

/** Asks for a line that is not shown. */
export async function askSecret(
  message: string,
  problem: (line: string) => string | undefined,
): Promise<string> {
  const validate = (line: string | undefined) => problem((line ?? "").trim());
  return (answered(await password({ message, validate, output })) ?? "").trim();
}

/** Asks a question of yes or no. */
export async function askYesNo(message: string, initialValue: boolean): Promise<boolean> {
  return answered(await confirm({ message, initialValue, output }));
}

/** Says something between two questions. */
export function say(message: string, kind: "step" | "success" | "warn" | "error" = "step"): void {
  // The library draws a bar, a sign and two blanks, and leaves long lines to the terminal.
  log[kind](wrapped(message, screenWidth() - 4).join("\n"), { output });
}

/**
 * Refuses to ask where nobody answers.
 *
 * @throws {ConfigurationError} with `hint` when there is no terminal
 */
export function expectTerminal(command: string, hint: string): void {
  if (canAsk()) return;
  const why = process.env.TERM === "dumb"
    ? "this terminal cannot show them (TERM=dumb)"
    : "there is no terminal";
  throw new ConfigurationError(`\`${command}\` asks questions, and ${why}`, { hint });
}
