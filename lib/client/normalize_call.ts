/**
 * Validates and normalizes the messages and options of a call.
 *
 * @module
 */
import { type Message, messagesProblem } from "../chat/messages.ts";
import { normalizeMessages, normalizeOptions, toolChoiceProblem } from "../chat/normalize.ts";
import type { ChatOptions } from "../chat/options.ts";
import { ConfigurationError, InvalidInputError } from "../errors.ts";
import { expectTimeout } from "./client_settings.ts";

/**
 * Normalizes a call.
 *
 * @throws {InvalidInputError} if the messages are invalid
 * @throws {ConfigurationError} if an option is
 */
export function normalizeCall(
  messages: readonly Message[],
  given: ChatOptions,
): { messages: readonly Message[]; options: ChatOptions } {
  const problem = messagesProblem(messages);
  if (problem !== undefined) throw new InvalidInputError(problem);
  const choiceProblem = toolChoiceProblem(given.toolChoice);
  if (choiceProblem !== undefined) throw new ConfigurationError(choiceProblem);
  const options = normalizeOptions(given);
  if (options.timeout !== undefined) expectTimeout(options.timeout);
  return { messages: normalizeMessages(messages), options };
}
