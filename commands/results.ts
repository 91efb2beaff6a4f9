/**
 * `flexllm results`: counts the results of a batch, and lists its failures by reason.
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";
import {
  countResults,
  type FailureGroup,
  type ResultCounts,
} from "../lib/batch/journal/count_results.ts";
import { inTermsOfFields } from "./errors/option_names.ts";
import { counted, quoted } from "./terminal/format.ts";
import { addExamples } from "./flags/shared_options.ts";
import { printableLine } from "./terminal/sanitize.ts";
import { writeJson, writeOutput } from "./terminal/output.ts";

const number = new Intl.NumberFormat("en-US");

/** The number of failures by code, like `errors` in a batch's `--json`. */
function byCode({ failures }: ResultCounts): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { code, count } of failures) counts.set(code, (counts.get(code) ?? 0) + count);
  return Object.fromEntries(counts);
}

/** The command that retries the failed records of `file`; only the user knows the input. */
function retryCommand(file: string, { models }: ResultCounts): string {
  const failed = models.filter(({ failed }) => failed > 0);
  const flags = failed.map(({ model }) => ` -m ${quoted(model)}`).join("");
  return `flexllm batch INPUT -o ${quoted(file)}${flags} --only-failed`;
}

function failureLines({ model, code, message, count, examples }: FailureGroup): string[] {
  const more = count > examples.length ? ", …" : "";
  const noun = count === 1 ? "record" : "records";
  const from = model === undefined ? "" : ` (${printableLine(model)})`;
  return [
    `${number.format(count)} × ${printableLine(code)}${from}: ${
      printableLine(code === "http" ? message : inTermsOfFields(message))
    }`,
    `    ${noun} ${examples.join(", ")}${more}`,
  ];
}

function resultLines(file: string, counts: ResultCounts, showFailures: boolean): string[] {
  const { succeeded, failures } = counts;
  const total = succeeded + counts.failed;
  const lines = [
    `${counted(total, counts.models.length > 0 ? "result" : "record")}: ` +
    `${number.format(succeeded)} succeeded, ${number.format(counts.failed)} failed`,
    ...counts.models.map(({ model, succeeded, failed }) =>
      `  ${printableLine(model)}: ${number.format(succeeded)} succeeded, ${
        number.format(failed)
      } failed`
    ),
  ];
  if (failures.length === 0) return lines;
  if (!showFailures) {
    const kinds = Object.entries(byCode(counts));
    return [
      ...lines,
      ...kinds.map(([code, count]) => `  ${number.format(count)} × ${printableLine(code)}`),
      `For their messages: flexllm results ${quoted(file)} --failed`,
    ];
  }
  return [
    ...lines,
    "",
    ...failures.flatMap(failureLines),
    "",
    `To retry them: ${retryCommand(file, counts)}`,
    `Use the INPUT and the flags${
      counts.models.length > 0 ? "" : ", such as -m,"
    } of the run that wrote the file.`,
  ];
}

function resultsJson(file: string, counts: ResultCounts, showFailures: boolean) {
  const { succeeded, failures } = counts;
  return {
    file,
    total: succeeded + counts.failed,
    succeeded,
    failed: counts.failed,
    ...counts.models.length > 0
      ? {
        by_requested_model: counts.models.map(({ model, ...rest }) => ({
          requested_model: model,
          ...rest,
        })),
      }
      : {},
    errors: byCode(counts),
    ...showFailures
      ? {
        failures: failures.map(({ code, model, ...group }) => ({
          ...model === undefined ? {} : { requested_model: model },
          error_code: code,
          ...group,
        })),
        retry: counts.failed > 0 ? retryCommand(file, counts) : null,
      }
      : {},
  };
}

/** The command `results`. */
export function resultsCommand() {
  const command = new Command("results")
    .argument("<file>", "result file of a batch (.jsonl)")
    .option("--failed", "list failed records by reason, with the command that retries them")
    .option("--json", "print JSON")
    .action((file, { failed = false, json }) => {
      const counts = countResults(file);
      if (json) writeJson(resultsJson(file, counts, failed));
      else writeOutput(`${resultLines(file, counts, failed).join("\n")}\n`);
    });
  return addExamples(command, [
    "flexllm results answers.jsonl",
    "flexllm results answers.jsonl --failed",
    "flexllm results answers.jsonl --failed --json",
  ]);
}
