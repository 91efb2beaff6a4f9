/**
 * Shows the provider jobs of a result file: their last known states, and what the provider says now.
 *
 * @module
 */
import { readParts } from "../../../lib/batch/jobs/open_part_store.ts";
import { holdsRows, type PartState } from "../../../lib/batch/jobs/part_events.ts";
import { currentParts } from "../../../lib/batch/jobs/part_status.ts";
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

/** Asks the providers for the states of the jobs; warns about the ones that don't answer. */
async function current(
  parts: readonly PartState[],
  flags: StatusFlags,
): Promise<{ parts: PartState[]; warnings: string[] }> {
  const clients = new PartClients(readConfigSilently(flags.config), flags, { timeout: 20 });
  const warnings = new Set<string>();
  const problem = (error: unknown) => {
    const message = oneLineMessage(error);
    warnings.add(`showing the last known state: ${message}`);
    return message;
  };
  try {
    return {
      parts: await currentParts(parts, (part) => clients.find(part).jobs, problem),
      warnings: [...warnings],
    };
  } finally {
    await clients.close();
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
    writeOutput(`${output} has no provider jobs.\n`);
  } else {
    writeOutput(`${statusLines(parts, Date.now()).join("\n")}\n`);
  }
  for (const warning of warnings) writeWarning(warning);
  return live.length > 0 ? EXIT.submitted : EXIT.ok;
}
