/**
 * `flexllm report`: turns result files into one HTML page.
 *
 * @module
 */
import { Command, Option } from "@commander-js/extra-typings";
import { existsSync } from "node:fs";
import { ConfigurationError } from "../../lib/errors.ts";
import { standsForFiles } from "../../lib/input/stands_for_files.ts";
import { HELP_GROUPS } from "../flags/help_groups.ts";
import { addNotes } from "../flags/help_notes.ts";
import { addExamples, commonFlags } from "../flags/shared_options.ts";
import { bytes } from "../terminal/format.ts";
import { writeJson, writeNote, writeOutput } from "../terminal/output.ts";
import { writeSentences } from "../terminal/sentences.ts";
import { checkReportFile, defaultPath, writeReportFile } from "./report_file.ts";
import { resultFiles } from "./result_files.ts";

function reportFlags() {
  const command = new Command("report")
    .usage("[options] <file...>")
    .argument("[file...]", "result files of batches (.jsonl); - for stdin")
    .optionsGroup(HELP_GROUPS.output)
    .option("-o, --output <file>", "the page; - for stdout (default: FILE.report.html)")
    .option("--title <text>", "heading of the page (default: the names of the files)")
    .option("--no-content", "leave out prompts and answers")
    .option("--merge", "treat several files as parts of one run, such as shards")
    .addOption(
      new Option("--force", "replace a file that is not a report").conflicts("json"),
    )
    .addOption(new Option("--json", "print the numbers as JSON instead").conflicts("output"))
    .optionsGroup("Options:")
    .addOption(commonFlags.config);
  return addNotes(command, [
    "The page needs no network and no script, and stays below 1 MB. Up to six files, or the models of " +
    "one file, are compared side by side.",
    "What happened over time (429s, retries, unusable endpoints), the budget and the settings come " +
    "from FILE.events, which batch writes next to its results. Without that file, they are left out.",
    "API keys in the environment, in the configuration and in the key file are removed.",
  ]);
}

type ReportFlags = ReturnType<ReturnType<typeof reportFlags>["opts"]>;

/** Whether the report can be named after `file`. */
function isNamed(file: string): boolean {
  return file !== "-" && (existsSync(file) || !standsForFiles(file));
}

async function run(named: string[], flags: ReportFlags): Promise<void> {
  const files = resultFiles(named, "flexllm report");
  if (!isNamed(files[0]) && flags.output === undefined && !flags.json) {
    const source = files[0] === "-" ? "standard input" : files[0];
    throw new ConfigurationError(`no file for the report on ${source}`, {
      hint: "Name it with -o, for example -o report.html.",
    });
  }
  const path = flags.output ?? defaultPath(files);
  const isFile = path !== "-" && !flags.json;
  if (isFile) checkReportFile(path, files, flags.force);
  const { collectFiles, renderReport } = await import("./create_report.ts");
  const { merge, content, title, config } = flags;
  const options = { merge, content, title, config };
  const report = await collectFiles(files, options);
  if (flags.json) {
    const { reportJson } = await import("./report_json.ts");
    writeJson(reportJson(report.data, report.redact));
    return;
  }
  // A pattern may have matched the file.
  const read = report.data.runs.flatMap(({ files }) => files);
  if (isFile) checkReportFile(path, read, flags.force);
  const page = await renderReport(report, options);
  if (path === "-") {
    writeOutput(page);
    return;
  }
  await writeReportFile(path, page);
  const { damaged } = report.data.skipped;
  if (damaged > 0) {
    writeSentences(`note: damaged lines were skipped; see flexllm results ${files.join(" ")}`);
  }
  writeNote(`Wrote ${path} (${bytes(new TextEncoder().encode(page).length)})`);
}

/** The command. */
export function reportCommand() {
  return addExamples(reportFlags().action(run), [
    "flexllm report answers.jsonl",
    "flexllm report answers.jsonl -o report.html --title 'Nightly run'",
    "flexllm report monday.jsonl tuesday.jsonl -o compared.html",
    "flexllm report 'answers-*.jsonl' --merge -o report.html",
    "flexllm report answers.jsonl --no-content -o - | gzip > report.html.gz",
    "flexllm report answers.jsonl --json",
  ]);
}
