/**
 * The flags of `flexllm results`.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { TEXT_PLACES } from "../../lib/results/filter.ts";
import { TABLE_FORMATS } from "../../lib/results/table/table_writer.ts";
import { HELP_GROUPS } from "../flags/help_groups.ts";
import { addNotes } from "../flags/help_notes.ts";
import { anyInteger, integer } from "../flags/parse.ts";
import { costRange, indexes, latencyRange, names, textPattern } from "./parse_flags.ts";

/** `--to FORMAT [FILE]`. Commander has no flag with two values, so that it takes all words that follow. */
function toFlag() {
  const option = new Option(
    "--to <words...>",
    `convert to ${TABLE_FORMATS.join(", ")}; the file can be - for stdout (default)`,
  );
  option.flags = "--to <format> [file]";
  return option;
}

/** The command with its flags, without its action. */
export function resultsFlags() {
  const command = new Command("results")
    .usage("[options] <file...>")
    .argument("[file...]", "result files of batches (.jsonl); - for stdin")
    .optionsGroup(HELP_GROUPS.output)
    .addOption(
      new Option("--failed", "group failed records by reason, with the command that retries them")
        .conflicts(["show", "to", "count"]),
    )
    .addOption(
      new Option("--show <indexes>", "show results in full, by their index: 3 or 3,7-9, or all")
        .argParser(indexes).conflicts(["to", "count"]),
    )
    .addOption(toFlag().conflicts(["count"]))
    .addOption(
      new Option("--columns <names>", "columns of --to, e.g. index,input,parsed.*; see below")
        .argParser(names),
    )
    .option("--spreadsheet", "CSV and TSV for Excel: escape formulas, add a byte order mark")
    .option("--force", "replace the file of --to if it exists")
    .option("--count", "print only the number of results")
    .option("--json", "print JSON")
    .optionsGroup(HELP_GROUPS.records)
    .addOption(
      new Option("--status <status>", "only results with this status").choices([
        "success",
        "error",
      ]),
    )
    .addOption(
      new Option("-m, --model <names>", "only results of these models, requested or reported")
        .argParser(names),
    )
    .addOption(
      new Option("--finish-reason <reasons>", "only with these finish reasons, e.g. length")
        .argParser(names),
    )
    .addOption(
      new Option("--error <codes>", "only failures with these error codes, e.g. timeout,http")
        .argParser(names),
    )
    .addOption(
      new Option("--latency <range>", "only with this latency, e.g. '>2s' or 500ms-2s")
        .argParser(latencyRange),
    )
    .addOption(
      new Option("--cost <range>", "only with this cost in USD, e.g. '>0.01'").argParser(costRange),
    )
    .addOption(
      new Option(
        "--text <text>",
        "only with this text, or /regular expression/, in the input or output",
      )
        .argParser(textPattern),
    )
    .addOption(
      new Option("--text-in <place>", "where to look for --text instead").choices(TEXT_PLACES),
    )
    .addOption(
      new Option("--first <count>", "only the first N of them").argParser(integer(1))
        .conflicts(["last", "sample"]),
    )
    .addOption(
      new Option("--last <count>", "only the last N of them").argParser(integer(1))
        .conflicts("sample"),
    )
    .addOption(new Option("--sample <count>", "only N random ones of them").argParser(integer(1)))
    .addOption(
      new Option("--seed <number>", "seed of --sample, to draw the same records again").argParser(
        anyInteger,
      ),
    )
    .optionsGroup("Options:");
  return addNotes(command, [
    "Results must meet all conditions; separate several names with commas. --first, --last and --sample " +
    "show the results they select, unless you choose another kind of output.",
    "Columns: any field of a result, file, input (the last text of the user), messages (the whole " +
    "input as JSON), and fields of fields, such as parsed.stars, metadata.id or usage.prompt_tokens; " +
    "parsed.* and metadata.* are all their fields, one column each. Nested values are JSON. Without " +
    "--columns, jsonl copies the results unchanged.",
  ]);
}

/** The parsed flags. */
export type ResultsFlags = ReturnType<ReturnType<typeof resultsFlags>["opts"]>;
