/**
 * The flags that control how the input of a batch is read and which records are selected.
 *
 * @module
 */
import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { INPUT_FORMATS } from "../../lib/input/input_format.ts";
import { parseShard, type Shard } from "../../lib/input/selection.ts";
import { integer } from "../flags/parse.ts";

function oneCharacter(text: string): string {
  if (text === "tab" || text === "\\t") return "\t";
  if (text.length === 1 && !/["\r\n]/.test(text)) return text;
  throw new InvalidArgumentError('Expected one character, or "tab".');
}

function names(text: string): string[] {
  return text.split(",").map((name) => name.trim()).filter((name) => name !== "");
}

function shardOf(text: string): Shard {
  const shard = parseShard(text);
  if (shard !== undefined) return shard;
  throw new InvalidArgumentError(
    "Expected i/n with i from 1 to n, e.g. 1/4 to 4/4; 0/n means n/n.",
  );
}

/** The flags, each for one `addOption`. */
export const inputFlags = {
  inputFormat: new Option(
    "--input-format <format>",
    "input format (default: from name and content)",
  )
    .choices(INPUT_FORMATS),
  delimiter: new Option("--delimiter <character>", "separator of CSV/TSV cells (default: detected)")
    .argParser(oneCharacter),
  noQuotes: new Option("--no-quotes", "treat quotes in CSV/TSV as ordinary characters"),
  template: new Option(
    "--template <text>",
    'prompt with fields of the record: "Summarize: {{text}}", or @file; also fills in -s',
  ),
  asMetadata: new Option(
    "--as-metadata <fields>",
    "treat these fields as metadata, not options or prompts, e.g. model,seed; see below",
  ).argParser(names),
  dropAnswer: new Option(
    "--drop-answer",
    "leave out the assistant message that ends a conversation in training data",
  ),
  limit: new Option("--limit <count>", "only the first N records of the input or shard")
    .argParser(integer(1)),
  shard: new Option("--shard <i/n>", "only every n-th record, e.g. 1/4 to 4/4; see below")
    .argParser(shardOf),
  onlyFailed: new Option("--only-failed", "only records that failed before")
    .conflicts(["rerunChanged", "skipFailed", "retryFailed"]),
  skipFailed: new Option("--skip-failed", "skip records that failed before")
    .conflicts(["retryFailed"]),
  /** Earlier name of `--only-failed`. */
  retryFailed: new Option("--retry-failed", "only records that failed before")
    .conflicts("rerunChanged").hideHelp(),
  /** Earlier name of `--skip-failed`. */
  noRetryFailed: new Option("--no-retry-failed", "skip records that failed before").hideHelp(),
} as const;

/** The flags that select records by whether they failed before, under their current and earlier names. */
interface FailedFlags {
  onlyFailed?: true;
  skipFailed?: true;
  retryFailed?: boolean;
}

/** Which records are selected: `true` for those that failed before, `false` for all others. */
export function failedSelection(
  { onlyFailed, skipFailed, retryFailed }: FailedFlags,
): boolean | undefined {
  return onlyFailed ? true : skipFailed ? false : retryFailed;
}

/** The current name of an earlier flag that was used; `undefined` if there is none. */
export function renamedFlag({ retryFailed }: FailedFlags): string | undefined {
  if (retryFailed === undefined) return undefined;
  return retryFailed
    ? "--retry-failed is now called --only-failed"
    : "--no-retry-failed is now called --skip-failed";
}

/** The notes below the flags. */
export const INPUT_NOTES: readonly string[] = [
  "Input: JSONL, JSON (an array of records, or an object with one), text (one prompt per line), CSV or " +
  "TSV with column names in the first line, or Parquet; also compressed (.gz, .zst). Several files are " +
  "read as one, and a quoted pattern ('data/*.jsonl') or a folder of data files stands for its files.",
  'A record is {"messages": […]}, {"q": …} (or question, prompt, input; optionally with "system"), ' +
  '{"instruction": …, "input": …}, {"conversations": […]} (ShareGPT), a string, or a line of an OpenAI ' +
  "Batch file. With --template, records can have any fields: {{name}} and {{a.b}} insert them, \\{{ is " +
  "a literal {{, and \\@ at the start a literal @; a string is {{text}}. Other fields are copied to the " +
  'result as "metadata". Paths of images and files are relative to the current directory; they are ' +
  "read when the record is sent.",
  "Files: a folder, a pattern such as 'photos/*.jpg', or an image, PDF or document is an input in which " +
  "each file is a record; --template is its prompt. {{file}} is the path, {{name}} the name, and " +
  "{{text}} inserts the text of a text file instead of attaching it. Files are sorted by path; hidden " +
  "files are left out, and subfolders unless the pattern has **. --input-format files sends data files " +
  "this way as well.",
  "Record options: model, temperature, top_p, top_k, max_tokens, stop, seed, presence_penalty, " +
  "frequency_penalty, thinking, response_format, tools, tool_choice, parallel_tool_calls and " +
  "extra_body override flags (including -m) and configuration for that record, unless the template " +
  "uses them; extra_body is merged. --as-metadata model makes a field metadata, so that -m applies " +
  "to all records. When the input is itself a result file (with --template), these fields are ignored.",
  "Shards: 1/n to n/n; shard i has the records whose index modulo n is i. 0/n is another spelling of " +
  "n/n, for Slurm and Kubernetes, which count from 0. Indexes in the output refer to the whole input, " +
  "so you can merge the parts: cat out-*.jsonl > out.jsonl",
];
