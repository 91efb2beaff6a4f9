/**
 * `flexllm batch`: sends the prompts of a file and writes the results to another.
 *
 * @module
 */
import process from "node:process";
import { warnAboutPlaceholders } from "../flags/placeholder_warning.ts";
import { addExamples } from "../flags/shared_options.ts";
import { writeNote } from "../terminal/output.ts";
import { checkFiles } from "./files.ts";
import { type BatchFlags, batchFlags } from "./flags.ts";
import { failedSelection, renamedFlag } from "./input_flags.ts";
import { prepareBatch } from "./settings.ts";

async function run(input: string | undefined, given: BatchFlags): Promise<void> {
  const renamed = renamedFlag(given);
  if (renamed !== undefined && !given.quiet) writeNote(`note: ${renamed}`);
  const flags = { ...given, retryFailed: failedSelection(given) };
  const output = checkFiles(input, flags);
  const prepared = await prepareBatch(flags);
  const [{ openInput }, { readOptions }] = await Promise.all([
    import("../../lib/input/input_file.ts"),
    import("../../lib/input/read_options.ts"),
  ]);
  const file = await openInput(input, flags);
  try {
    const reading = readOptions(file, flags);
    if (flags.template === undefined && !flags.quiet) {
      warnAboutPlaceholders("the system prompt", flags.system, "with --template");
    }
    if (flags.estimate) {
      const { printEstimate } = await import("./estimate.ts");
      await printEstimate({ file, output, reading, flags, prepared });
    } else {
      const { sendBatch } = await import("./send.ts");
      process.exitCode = await sendBatch({ file, output: output!, reading, flags, prepared });
    }
  } finally {
    await Promise.all(prepared.models.map(({ client }) => client.close()));
    file.close();
  }
}

/** The command. */
export function batchCommand() {
  return addExamples(batchFlags().action(run), [
    "flexllm batch questions.jsonl -o answers.jsonl",
    "flexllm batch questions.jsonl -o answers.jsonl -m gpt-5.4-mini -c 64",
    "flexllm batch questions.jsonl -o answers.jsonl -m gpt-5.4-mini -m claude-haiku-4-5",
    'flexllm batch texts.jsonl -o out.jsonl -s "Translate." --max-tokens 500',
    "cat questions.jsonl | flexllm batch -o answers.jsonl --json",
    'flexllm batch reviews.csv -o out.jsonl --template "Sentiment? {{text}}"',
    "flexllm batch questions.jsonl -o answers-$I.jsonl --shard $I/8",
  ]);
}
