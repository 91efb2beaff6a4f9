/**
 * `flexllm results`: summarizes, filters, shows and converts the results of batches.
 *
 * @module
 */
import process from "node:process";
import { ConfigurationError } from "../../lib/errors.ts";
import type { ResultFilter } from "../../lib/results/filter.ts";
import { ResultReader, type SkippedLines } from "../../lib/results/result_reader.ts";
import { openResults } from "../../lib/results/result_source.ts";
import { ResultSelection } from "../../lib/results/selection.ts";
import { addExamples } from "../flags/shared_options.ts";
import { resultFiles } from "../report/result_files.ts";
import { counted, quoted } from "../terminal/format.ts";
import { hintLines } from "../terminal/hint_lines.ts";
import { writeJson, writeOutput } from "../terminal/output.ts";
import { writeSentences, writeWarning } from "../terminal/sentences.ts";
import { widthOfStream } from "../terminal/wrap.ts";
import { summaryJson, summaryLines, totalLines } from "./count_lines.ts";
import { failureLines, Failures, failuresJson } from "./failures.ts";
import { type ResultsFlags, resultsFlags } from "./flags.ts";
import { type Target, targetOf } from "./parse_flags.ts";
import { showJson, showResults } from "./show.ts";

/** The flags of tables only. */
const TABLE_FLAGS = ["columns", "spreadsheet", "force"] as const;

/** The target of `--to` and the result files, some of which may follow it. */
function filesAndTarget(
  files: readonly string[],
  { to, ...flags }: ResultsFlags,
): { files: string[]; target?: Target } {
  if (to === undefined) {
    const unused = TABLE_FLAGS.find((name) => flags[name] !== undefined);
    if (unused === undefined) return { files: [...files] };
    throw new ConfigurationError(`--${unused} requires --to`, {
      hint: "Add a format and a file, such as --to csv answers.csv",
    });
  }
  const found = targetOf(to as unknown as string[]);
  if (found === undefined) {
    throw new ConfigurationError(`--to: ${to[0]} is not a format`, {
      hint: "Formats: csv, tsv, jsonl, md, parquet. For example: --to csv answers.csv",
    });
  }
  return { files: [...files, ...found.rest], target: found.target };
}

function filterOf(flags: ResultsFlags): ResultFilter {
  return {
    status: flags.status,
    finishReasons: flags.finishReason,
    models: flags.model,
    errorCodes: flags.error,
    latency: flags.latency,
    cost: flags.cost,
    text: flags.text,
    textIn: flags.textIn,
    indexes: flags.show === "all" ? undefined : flags.show,
  };
}

/** Reports lines that were skipped. */
function reportSkipped({ damaged, examples, replaced, unfinished }: SkippedLines): void {
  if (damaged > 0) {
    const shown = examples.map(({ location, reason }) => `${location} (${reason})`);
    const more = damaged > shown.length ? ", …" : "";
    writeWarning(`skipped ${counted(damaged, "damaged line")}: ${shown.join(", ")}${more}`);
  }
  if (replaced > 0) {
    writeSentences(
      `note: ${counted(replaced, "result")} ${replaced === 1 ? "was" : "were"} replaced by later ` +
        "ones of the same records",
    );
  }
  for (const file of unfinished) {
    writeSentences(
      `note: the last line of ${file} is incomplete: a batch is writing it, or was killed`,
    );
  }
}

function skippedJson({ damaged, replaced, unfinished }: SkippedLines) {
  return { damaged, replaced, unfinished: unfinished.length > 0 };
}

function countResults(selection: ResultSelection, json: true | undefined): void {
  const { total } = selection.summarize();
  if (json) writeJson({ count: total });
  else writeOutput(`${total}\n`);
}

/** Prints the counts, or the failures by reason. Returns the number of results. */
function summarize(
  reader: ResultReader,
  selection: ResultSelection,
  { failed, json }: ResultsFlags,
): number {
  let failures = new Failures();
  const summary = selection.summarize(() => {
    failures = new Failures();
    return failed ? (line) => failures.add(line) : () => {};
  });
  const files = reader.sources.map(({ name }) => name);
  if (json) {
    writeJson({
      ...files.length === 1 ? { file: files[0] } : { files },
      ...summaryJson(summary),
      ...skippedJson(reader.skipped),
      ...failed ? failuresJson(failures) : {},
    });
    return summary.total;
  }
  const details = `flexllm results ${files.map(quoted).join(" ")} --failed`;
  const lines = failed
    ? [...totalLines(summary), ...failureLines(failures)]
    : summaryLines(summary, details);
  const columns = widthOfStream(process.stdout);
  writeOutput(`${lines.flatMap((line) => hintLines(line, columns)).join("\n")}\n`);
  return summary.total;
}

async function run(given: string[], flags: ResultsFlags): Promise<void> {
  const { files: named, target } = filesAndTarget(given, flags);
  const files = resultFiles(named, "flexllm results");
  if (flags.seed !== undefined && flags.sample === undefined) {
    throw new ConfigurationError("--seed requires --sample");
  }
  if (flags.textIn !== undefined && flags.text === undefined) {
    throw new ConfigurationError("--text-in requires --text");
  }
  const sources = await openResults(files);
  try {
    const reader = new ResultReader(sources);
    const filter = filterOf(flags);
    const { first, last, sample, seed } = flags;
    const selection = new ResultSelection(reader, filter, { first, last, sample, seed });
    const isPicked = first !== undefined || last !== undefined || sample !== undefined;
    let found: number | undefined;
    if (target !== undefined) {
      const { writeTable } = await import("./write_table.ts");
      const { columns, spreadsheet, force, json } = flags;
      await writeTable(selection, {
        ...{ target, inputs: sources.map(({ name }) => name), columns, spreadsheet, force, json },
      });
    } else if (flags.count) countResults(selection, flags.json);
    else if (flags.show === undefined && (flags.failed || !isPicked)) {
      found = summarize(reader, selection, flags);
    } else if (flags.json) showJson(selection);
    else found = showResults(selection, reader, flags.show !== undefined && flags.show !== "all");
    reportSkipped(reader.skipped);
    const isFiltered = Object.values(filter).some((condition) => condition !== undefined);
    if (found === 0 && isFiltered) writeSentences("note: no result matches");
  } finally {
    for (const source of sources) source.close();
  }
}

/** The command. */
export function resultsCommand() {
  return addExamples(resultsFlags().action(run), [
    "flexllm results answers.jsonl",
    "flexllm results answers.jsonl --failed",
    "flexllm results answers.jsonl --show 3,7-9",
    "flexllm results answers.jsonl --sample 20 --finish-reason length",
    "flexllm results answers.jsonl --latency '>10s' --text refund --count",
    "flexllm results answers.jsonl --to csv answers.csv",
    "flexllm results answers.jsonl --to parquet good.parquet --status success",
    "flexllm results answers.jsonl --to jsonl --columns 'parsed.*' > parsed.jsonl",
    "flexllm results 'out-*.jsonl' --failed --json",
  ]);
}
