/**
 * Shows the provider jobs of a result file: their last known states, and what the provider says now.
 *
 * @module
 */
import { isFinal, type Job } from "../../../lib/batch_api/batch_api.ts";
import { readParts } from "../../../lib/batch/jobs/open_part_store.ts";
import { holdsRows, type PartState } from "../../../lib/batch/jobs/part_events.ts";
import { ConfigurationError } from "../../../lib/errors.ts";
import { EXIT } from "../../exit_codes.ts";
import { oneLineMessage } from "../../errors/groups.ts";
import { writeJson, writeOutput } from "../../terminal/output.ts";
import { writeWarning } from "../../terminal/sentences.ts";
import { readConfigSilently } from "../../read_config.ts";
import { PartClients } from "./part_clients.ts";
import { partJson } from "./part_report.ts";
import { checkResultFile } from "./result_file.ts";
import type { SubcommandFlags } from "./subcommand_flags.ts";
import { statusLines } from "./status_table.ts";

/** The flags of the command. */
export type StatusFlags = SubcommandFlags & { offline?: true };

/** Milliseconds that all providers together have to answer. */
const LONGEST_WAIT = 30_000;

function withJob(part: PartState, job: Job): PartState {
  // Not everything is in every answer.
  return { ...part, job: { ...part.job, ...job }, problem: undefined };
}

/** Asks the providers for the states of the jobs; warns about the ones that don't answer. */
async function current(
  parts: readonly PartState[],
  flags: StatusFlags,
): Promise<{ parts: PartState[]; warnings: string[] }> {
  const clients = new PartClients(readConfigSilently(flags.config), flags, { timeout: 20 });
  const warnings = new Set<string>();
  const ask = async (part: PartState): Promise<PartState> => {
    const { job } = part;
    if (!holdsRows(part) || job === undefined || isFinal(job.status)) return part;
    try {
      const { jobs: { api, http } } = clients.find(part);
      return withJob(part, await answered(api.get(http, job.id)));
    } catch (error) {
      warnings.add(`the state is the last known one: ${oneLineMessage(error)}`);
      return { ...part, problem: oneLineMessage(error) };
    }
  };
  try {
    return { parts: await Promise.all(parts.map(ask)), warnings: [...warnings] };
  } finally {
    await clients.close();
  }
}

/** Limits the wait for an answer. */
async function answered<T>(answer: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new ConfigurationError("the provider does not answer")),
      LONGEST_WAIT,
    );
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Prints the provider jobs of the result file `output`. Returns the exit code.
 *
 * @throws {ConfigurationError} if there is no such batch
 */
export async function showStatus(output: string, flags: StatusFlags): Promise<number> {
  const known = readParts(output);
  if (known.length === 0) checkResultFile(output);
  const { parts, warnings } = flags.offline
    ? { parts: known, warnings: [] }
    : await current(known, flags);
  const live = parts.filter(holdsRows);
  if (flags.json) {
    writeJson({
      output,
      live: live.length,
      parts: parts.map(partJson),
    });
  } else if (parts.length === 0) {
    writeOutput(`No record of ${output} was submitted as a provider job.\n`);
  } else {
    writeOutput(`${statusLines(parts, Date.now()).join("\n")}\n`);
  }
  for (const warning of warnings) writeWarning(warning);
  return live.length > 0 ? EXIT.submitted : EXIT.ok;
}
