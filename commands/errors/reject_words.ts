/**
 * Rejects words after a command that has subcommands, which may be misspelled subcommands.
 *
 * @module
 */
import { InvalidInputError } from "../../lib/errors.ts";

/**
 * Rejects words, if there are any.
 *
 * @param command the command, such as `logs`
 * @param names its subcommands
 * @param otherwise the hint if no subcommand is similar
 * @throws {InvalidInputError} if there is a word
 */
export async function rejectWords(
  [word]: readonly string[],
  { command, names, otherwise }: { command: string; names: readonly string[]; otherwise: string },
): Promise<void> {
  if (word === undefined) return;
  const { similarName } = await import("../../lib/similar_name.ts");
  const similar = similarName(word, names);
  throw new InvalidInputError(`unknown command "${word}"`, {
    hint: similar === undefined ? otherwise : `Did you mean flexllm ${command} ${similar}?`,
  });
}
