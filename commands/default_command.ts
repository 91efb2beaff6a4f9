/**
 * Turns a command line without a command into `flexllm ask`.
 *
 * @module
 */
import { InvalidInputError } from "../lib/errors.ts";

/** Flags of the program itself, which can precede a command. */
const GLOBAL_FLAGS: ReadonlySet<string> = new Set(["--no-color"]);
/** Flags that end the program before a command would run. */
const FINAL_FLAGS: ReadonlySet<string> = new Set(["-h", "--help", "-V", "--version"]);
/** A word that differs from a command by this many edits at most is taken for a typo. */
const MAX_TYPO = 2;
/** Words that start questions. `what` is one edit from `chat`, but nobody types it for a command. */
const QUESTION_WORDS: ReadonlySet<string> = new Set([
  ...["what", "who", "whose", "why", "how", "when", "where", "which", "that", "this"],
  ...["is", "are", "was", "can", "could", "do", "does", "did", "will", "would", "should"],
]);

/** Scripts that put no spaces between words, so that a whole sentence is one argument. */
const UNSPACED =
  /\p{scx=Han}|\p{scx=Hira}|\p{scx=Kana}|\p{scx=Thai}|\p{scx=Khmr}|\p{scx=Laoo}|\p{scx=Mymr}/u;

/** Whether `text` has more than one word, or may have in its script. A file name has not. */
function isSentence(text: string): boolean {
  return /\s/.test(text) || (UNSPACED.test(text) && !/[/\\]|\.\w+$/.test(text));
}

/** The command that `word` is a typo of; `undefined` if it resembles none. */
export async function similarCommand(
  word: string,
  commands: readonly string[],
): Promise<string | undefined> {
  const lowered = word.toLowerCase();
  if (QUESTION_WORDS.has(lowered)) return undefined;
  const { closest, distance } = await import("fastest-levenshtein");
  const best = closest(lowered, [...commands]);
  return distance(lowered, best) <= MAX_TYPO ? best : undefined;
}

/**
 * Returns the arguments with `ask` in front if they are a prompt: `flexllm "What is Python?"`,
 * `flexllm What is Python`, `flexllm -m mock hi`, `flexllm -- batch`.
 *
 * A typo must not become a request that costs money, so a word that resembles a command and a single
 * unknown word are errors.
 *
 * @param commands the names of all commands
 * @throws {InvalidInputError} if the first word is neither a command nor clearly the start of a prompt
 */
export async function withDefaultCommand(
  args: readonly string[],
  commands: readonly string[],
): Promise<string[]> {
  const start = args.findIndex((arg) => !GLOBAL_FLAGS.has(arg));
  const first = args[start];
  if (first === undefined || FINAL_FLAGS.has(first) || commands.includes(first)) return [...args];
  const ask = [...args.slice(0, start), "ask", ...args.slice(start)];
  if (first.startsWith("-") || isSentence(first)) return ask;
  const similar = await similarCommand(first, commands);
  const next = args[start + 1];
  if (similar === undefined && next !== undefined && !next.startsWith("-")) return ask;
  const { quoted } = await import("./terminal/format.ts");
  const suggestion = similar === undefined ? "" : `Did you mean ${similar}? `;
  throw new InvalidInputError(`unknown command "${first}"`, {
    hint: `${suggestion}To send it as a prompt: flexllm ask ${
      args.slice(start).map(quoted).join(" ")
    }`,
  });
}
