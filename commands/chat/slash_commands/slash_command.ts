/**
 * The interface of a slash command, and how its argument is parsed.
 *
 * @module
 */
import { InvalidArgumentError } from "commander";
import { InvalidInputError } from "../../../lib/errors.ts";
import type { ChatContext } from "../chat_context.ts";

/** A command that can be typed in a chat. */
export interface SlashCommand {
  /** Its argument, as shown by `/help`. */
  usage: string;
  help: string;
  run(context: ChatContext, argument: string): void | Promise<void>;
}

/**
 * Parses an argument with the parser of the corresponding flag.
 *
 * @throws {InvalidInputError} with the parser's message
 */
export function parseArgument<T>(
  name: string,
  argument: string,
  parse: (text: string) => T,
): T {
  try {
    return parse(argument);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    const message = error.message.replace(/^Expected/, "expected");
    throw new InvalidInputError(`/${name} ${argument}: ${message}`);
  }
}
