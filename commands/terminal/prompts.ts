/**
 * Prompts the user on the terminal, on stderr: stdout is for results.
 *
 * @module
 */
import {
  autocomplete,
  type CANCEL_SYMBOL,
  confirm,
  isCancel,
  log,
  outro,
  password,
  select,
  text,
  updateSettings,
} from "@clack/prompts";
import process from "node:process";
import { AbortedError, ConfigurationError } from "../../lib/errors.ts";
import { screenWidth, wrapped } from "./wrap.ts";

const output = process.stderr;

// Ctrl-D would close the library's input and leave it waiting for keys, so it cancels the prompt.
updateSettings({ aliases: { "\x04": "cancel" } });

/** An item of a list to select from. */
export interface Choice<T extends string> {
  value: T;
  label: string;
  hint?: string;
}

/** Whether the terminal can show prompts. */
export function canPrompt(): boolean {
  const { stdin, stderr, env } = process;
  return stdin.isTTY === true && stderr.isTTY === true && env.TERM !== "dumb";
}

/**
 * Throws an error if the terminal cannot show prompts.
 *
 * @throws {ConfigurationError} with `hint`
 */
export function requireTerminal(command: string, hint: string): void {
  if (canPrompt()) return;
  const why = process.env.TERM === "dumb"
    ? "the terminal is too simple (TERM=dumb)"
    : "there is no terminal";
  throw new ConfigurationError(`\`${command}\` cannot show prompts: ${why}`, { hint });
}

function orCancelled<T>(answer: T | typeof CANCEL_SYMBOL): T {
  if (isCancel(answer)) throw new AbortedError("cancelled; nothing was changed");
  return answer;
}

/** Prompts for one of a few choices. */
export async function promptChoice<T extends string>(
  message: string,
  choices: Choice<T>[],
  initialValue?: T,
): Promise<T> {
  const options = choices as { value: string; label: string; hint?: string }[];
  return orCancelled(await select<string>({ message, options, initialValue, output })) as T;
}

/** Prompts for one of many choices, filtered by typing. */
export async function promptFilteredChoice<T extends string>(
  message: string,
  choices: Choice<T>[],
): Promise<T> {
  const options = choices as { value: string; label: string; hint?: string }[];
  const filter = (typed: string, { label = "" }: { label?: string }) =>
    label.toLowerCase().includes(typed.trim().toLowerCase());
  return orCancelled(
    await autocomplete<string>({ message, options, maxItems: 20, filter, output }),
  ) as T;
}

/** Prompts for one of many values, filtered by typing; other values can be typed as well. */
export async function promptSuggested(message: string, values: string[]): Promise<string> {
  const options = function (this: { userInput: string }) {
    const typed = this.userInput.trim();
    const matching = values.filter((value) => value.toLowerCase().includes(typed.toLowerCase()));
    const listed = matching.map((value) => ({ value, label: value }));
    const isOther = typed !== "" && !values.includes(typed);
    return isOther ? [...listed, { value: typed, label: `${typed} (not listed)` }] : listed;
  };
  return orCancelled(
    await autocomplete<string>({ message, options, maxItems: 10, filter: () => true, output }),
  );
}

/** Returns what is wrong with an input, or `undefined` if it is valid. */
export type Validate = (input: string) => string | undefined;

/** Prompts for a line of text and trims it. */
export async function promptText(
  message: string,
  validate: Validate,
  initialValue = "",
): Promise<string> {
  const options = {
    message,
    initialValue,
    validate: (line: string | undefined) => validate((line ?? "").trim()),
    output,
  };
  return orCancelled(await text(options)).trim();
}

/** Prompts for a secret, which is not shown, and trims it. */
export async function promptSecret(message: string, validate: Validate): Promise<string> {
  const options = {
    message,
    validate: (line: string | undefined) => validate((line ?? "").trim()),
    output,
  };
  return (orCancelled(await password(options)) ?? "").trim();
}

/** Prompts for yes or no. */
export async function promptYesNo(message: string, initialValue: boolean): Promise<boolean> {
  return orCancelled(await confirm({ message, initialValue, output }));
}

/** Shows a message between two prompts. */
export function showMessage(
  message: string,
  kind: "step" | "success" | "warn" | "error" = "step",
): void {
  // The library draws a bar, a symbol and two spaces, and does not wrap.
  log[kind](wrapped(message, screenWidth() - 4).join("\n"), { output });
}

/** Shows the message that ends a series of prompts. */
export function showEnd(message: string): void {
  outro(wrapped(message, screenWidth() - 4).join("\n   "), { output });
}
