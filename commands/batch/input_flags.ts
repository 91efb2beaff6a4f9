/**
 * The flags that say how the input of a batch is read, and which of its records are meant.
 *
 * @module
 */
import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
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
    "Expected i/n with i from 0 to n, such as 0/4 to 3/4, or 1/4 to 4/4.",
  );
}

/** The flags, each for one `addOption`. */
export const inputFlags = {
  inputFormat: new Option("--input-format <format>", "form of the input (default: by its name)")
    .choices(["jsonl", "csv", "tsv"] as const),
  delimiter: new Option("--delimiter <character>", "between the cells of a table (default: found)")
    .argParser(oneCharacter),
  noQuotes: new Option("--no-quotes", "quotes in a table are text like any other"),
  template: new Option(
    "--template <text>",
    'what to ask, with fields of the record: "Sum up: {{text}}", or @file; for -s, too',
  ),
  asMetadata: new Option(
    "--as-metadata <fields>",
    "fields that are not options, e.g. model,seed; see below",
  ).argParser(names),
  limit: new Option("--limit <count>", "only the first records of the input, or of the shard")
    .argParser(integer(1)),
  shard: new Option("--shard <i/n>", "only every n-th record, i from 0 or from 1; see below")
    .argParser(shardOf),
  retryFailed: new Option("--retry-failed", "only records that failed before")
    .conflicts("rerunChanged"),
  noRetryFailed: new Option("--no-retry-failed", "leave records that failed before as they are"),
} as const;

/** What the help says of them below the flags. */
export const INPUT_HELP = `
Input: one JSON object a line, or a table (.csv, .tsv) whose first line names
  the columns. A record is {"messages": […]}, {"q": …} (or question, prompt;
  with "system"), {"instruction": …, "input": …}, or a line of an OpenAI Batch
  file. With --template it may be anything: {{name}} and {{a.b}} are its fields,
  \\{{ is two braces, and a text that begins with @ is written \\@….
  Other fields are copied to the result as "metadata". Images and files given as
  paths are read when their record is sent, relative to the current folder.

Options of a record: model, temperature, top_p, top_k, max_tokens, stop, seed,
  presence_penalty, frequency_penalty, thinking, response_format, tools,
  tool_choice, parallel_tool_calls and extra_body override flags (including -m)
  and configuration for that record, unless the template uses them; extra_body
  is merged. --as-metadata model makes a field metadata, so that -m applies to
  all records. When the input is itself a result file (with --template), these
  fields are ignored.

Shards: record k, counted from 0, is in shard k mod n; n/n is 0/n, so both ways
  of counting take each record once. Indexes in the output are those of the
  whole input: cat out-*.jsonl > out.jsonl`;
