/**
 * `flexllm batch`: sends the prompts of a file and writes the results to another.
 *
 * @module
 */
import process from "node:process";
import { warnAboutPlaceholders } from "../flags/placeholder_warning.ts";
import { chosenTemplate, withTemplate } from "../flags/saved_template.ts";
import { ConfigurationError } from "../../lib/errors.ts";
import { addExamples } from "../flags/shared_options.ts";
import type { BatchSource } from "../../lib/input/input_source.ts";
import { writeNote } from "../terminal/output.ts";
import { writeSentences } from "../terminal/sentences.ts";
import { checkFiles, checkOutput, STANDARD_OUTPUT } from "./files.ts";
import { type BatchFlags, batchFlags } from "./flags.ts";
import { cancelCommand } from "./jobs/cancel_command.ts";
import { statusCommand } from "./jobs/status_command.ts";
import { failedSelection, renamedFlag } from "./input_flags.ts";

/** Maximum notes about files that are printed. */
const SHOWN_NOTES = 3;

/** Prints how files are read, if that is not what their names say. */
function printInputNotes({ files }: BatchSource): void {
  const notes = files.flatMap(({ notes }) => notes ?? []);
  for (const note of notes.slice(0, SHOWN_NOTES)) writeSentences(`note: ${note}`);
  const more = notes.length - SHOWN_NOTES;
  if (more > 0) writeNote(`… and ${more} more`);
}

/** Applies the saved template of `--as` to the flags, and to the records. */
async function withSavedTemplate<F extends BatchFlags>(given: F) {
  const { readConfigSilently } = await import("../read_config.ts");
  const chosen = await chosenTemplate(given, () => readConfigSilently(given.config));
  if (chosen === undefined) return { flags: given, recordTemplate: undefined };
  const { name, prompt, system } = chosen.template;
  if (prompt !== undefined && given.template !== undefined) {
    throw new ConfigurationError(`the template "${name}" has a prompt, and so does --template`, {
      hint: "Remove one of them. A role, a template without a prompt, can be used with --template.",
    });
  }
  const { RecordTemplate } = await import("../../lib/input/record_template.ts");
  const parts = { prompt, system: given.system === undefined ? system : undefined };
  const recordTemplate = new RecordTemplate({ ...parts, values: chosen.values });
  return { flags: withTemplate(given, chosen, (name) => [name]), recordTemplate };
}

async function run(inputs: string[], given: BatchFlags): Promise<void> {
  const renamed = renamedFlag(given);
  if (renamed !== undefined && !given.quiet) writeSentences(`note: ${renamed}`);
  const selected = { ...given, retryFailed: failedSelection(given) };
  const output = checkFiles(inputs, selected);
  const stream = output === STANDARD_OUTPUT ? await import("./stream.ts") : undefined;
  stream?.checkStreamFlags(given);
  const { checkLogFile } = await import("../call_log.ts");
  const isFile = output !== undefined && stream === undefined;
  const written = [...isFile ? [output] : [], ...given.metricsFile ? [given.metricsFile] : []];
  checkLogFile(given, [...inputs, ...written]);
  if (isFile && given.report !== undefined) {
    // A batch can take hours; a report that cannot be written is reported before.
    const { checkReportFile } = await import("../report/report_file.ts");
    checkReportFile(given.report, [...inputs, output]);
  }
  const { flags, recordTemplate } = await withSavedTemplate(selected);
  const { prepareBatch } = await import("./settings.ts");
  const prepared = await prepareBatch(flags);
  const [{ openInput }, { readOptions }] = await Promise.all([
    import("../../lib/input/input_file.ts"),
    import("../../lib/input/read_options.ts"),
  ]);
  const file = await openInput(inputs, flags);
  try {
    checkOutput(file, output);
    if (!flags.quiet) printInputNotes(file);
    const reading = readOptions(file, { ...flags, recordTemplate });
    if (flags.template === undefined && !flags.quiet) {
      warnAboutPlaceholders("the system prompt", flags.system, "with --template");
    }
    if (flags.estimate) {
      const { printEstimate } = await import("./estimate.ts");
      await printEstimate({ file, output, reading, flags, prepared });
    } else if (output === STANDARD_OUTPUT) {
      process.exitCode = await stream!.streamBatch({ file, reading, flags, prepared });
    } else {
      const { sendBatch } = await import("./send.ts");
      process.exitCode = await sendBatch({ file, output: output!, reading, flags, prepared });
      if (flags.report !== undefined) {
        const { writeBatchReport } = await import("../report/batch_report.ts");
        const { pipelineOf } = await import("../../lib/client/client.ts");
        const secrets = prepared.models.flatMap(({ client }) =>
          pipelineOf(client).endpoints.flatMap(({ secrets }) => secrets)
        );
        await writeBatchReport(output!, flags.report, secrets, flags.quiet);
      }
    }
  } finally {
    await prepared.fleet?.close();
    await Promise.all(prepared.models.map(({ client }) => client.close()));
    file.close();
  }
}

/** The command. */
export function batchCommand() {
  const command = batchFlags()
    .addCommand(statusCommand())
    .addCommand(cancelCommand())
    .action(run);
  return addExamples(command, [
    "flexllm batch questions.jsonl -o answers.jsonl",
    "flexllm batch questions.jsonl -o answers.jsonl -m gpt-5.4-mini -c 64",
    "flexllm batch questions.jsonl -o out.jsonl -m gpt-5.4-mini -m claude-haiku-4-5",
    'flexllm batch texts.jsonl -o out.jsonl -s "Translate." --max-tokens 500',
    "cat questions.jsonl | flexllm batch -o answers.jsonl --json",
    'flexllm batch reviews.csv -o out.jsonl --template "Sentiment? {{text}}"',
    "flexllm batch texts.jsonl -o out.jsonl --as translate --var language=French",
    "flexllm batch prompts.txt more.jsonl.gz -o out.jsonl",
    "flexllm batch 'shards/*.parquet' -o out.jsonl --drop-answer",
    "flexllm batch 'photos/*.jpg' -o out.jsonl --template \"Describe this.\"",
    "flexllm batch questions.jsonl -o answers.jsonl --report report.html",
    "flexllm batch questions.jsonl -o - | jq -r .output",
    "flexllm batch questions.jsonl -o answers-$I.jsonl --shard $I/8",
    "flexllm batch questions.jsonl -o answers.jsonl --via provider",
    "flexllm batch questions.jsonl -o answers.jsonl --via provider --no-wait",
    "flexllm batch status answers.jsonl",
  ]);
}
