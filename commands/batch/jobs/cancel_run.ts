/**
 * Cancels the provider jobs of a result file that no other process waits for, and collects the rows that are done.
 *
 * @module
 */
import { BudgetLedger } from "../../../lib/batch/journal/budget_ledger.ts";
import type { Journal } from "../../../lib/batch/journal/journal.ts";
import { abandonedCost } from "../../../lib/batch/jobs/held_cost.ts";
import { openPartStore } from "../../../lib/batch/jobs/open_part_store.ts";
import { holdsRows, type PartState } from "../../../lib/batch/jobs/part_events.ts";
import type { PartStore } from "../../../lib/batch/jobs/part_store.ts";
import type { CostTracker } from "../../../lib/pricing/cost_tracker.ts";
import { reportError } from "../../errors/report.ts";
import { EXIT } from "../../exit_codes.ts";
import { stopOnSignals } from "../../signals.ts";
import { counted, quoted } from "../../terminal/format.ts";
import { writeJson, writeNote } from "../../terminal/output.ts";
import { writeSentences } from "../../terminal/sentences.ts";
import { finishJournal } from "../finish.ts";
import { journalOf, namesModels, openJournal } from "../journal.ts";
import { ModelRun, ModelRuns } from "../model_run.ts";
import { startProgress } from "../progress/progress.ts";
import { rowCount } from "./held_parts.ts";
import { openRows } from "./held_rows.ts";
import { jobsExecutor, type JobsMode } from "./jobs_executor.ts";
import type { JobsExecutor } from "./jobs_run.ts";
import type { PartClients } from "./part_clients.ts";
import { partJson } from "./part_report.ts";
import type { SubcommandFlags } from "./subcommand_flags.ts";

/** The flags of the command. */
export type CancelFlags = SubcommandFlags & { yes?: true };

/** Parts with a job, or that may have one. */
export function cancellable(parts: readonly PartState[]): PartState[] {
  return parts.filter((part) => holdsRows(part) && part.api !== "export");
}

/** The models under which the parts were requested, each with its parts' client. */
function modelsOf(live: readonly PartState[], clients: PartClients) {
  const models = new Map<string | undefined, PartState>();
  for (const part of live) {
    if (!models.has(part.requested_model)) models.set(part.requested_model, part);
  }
  return [...models].map(([name, part]) => {
    const { client, request } = clients.find(part);
    return { name, model: part.model, client, request, targets: [], options: {}, requireKeys() {} };
  });
}

/** Cancels the jobs and collects their rows. Returns the exit code. */
export async function cancelAndCollect(
  output: string,
  flags: CancelFlags,
  live: readonly PartState[],
  clients: PartClients,
  costs: CostTracker,
): Promise<number> {
  const models = modelsOf(live, clients);
  const journal = await openJournal(output, models);
  try {
    using store = await openPartStore(output);
    const abandoned = abandonedCost(store.parts);
    const ledger = new BudgetLedger(output, journal.cost, undefined, abandoned);
    try {
      costs.addSpent(journal.cost + ledger.lost + abandoned);
      return await collect({ output, flags, models, journal, store });
    } finally {
      ledger.close(costs.spent, journal.cost, abandonedCost(store.parts));
    }
  } finally {
    journal.close();
  }
}

interface Collection {
  output: string;
  flags: CancelFlags;
  models: ReturnType<typeof modelsOf>;
  journal: Journal;
  store: PartStore;
}

async function collect(
  { output, flags, models, journal, store }: Collection,
): Promise<number> {
  const namesAll = namesModels(models, journal);
  const names = new Set(models.map(({ name }) => name));
  const parts = () => cancellable(store.parts).filter((part) => names.has(part.requested_model));
  const before = parts();
  const rows = before.reduce((sum, part) => sum + openRows(part, store, journal), 0);
  const shared = {
    store,
    mode: waiting(flags.pollInterval),
    events: { onNote: (text: string) => writeSentences(text, progress.note) },
    namesModels: namesAll,
    rerunChanged: true,
    retryTimes: 0,
  };
  const executors: JobsExecutor[] = [];
  const runs = new ModelRuns(models.map((model) => {
    const own = journalOf(journal, models, model.name);
    const executor = jobsExecutor({ model, journal: own }, shared);
    executors.push(executor);
    return new ModelRun(
      { model, journal: own, check: { total: rows, pending: rows } },
      executor,
      {},
    );
  }));
  const progress = startProgress(runs, { total: rows, pending: rows, invalid: 0, answered: 0 }, {
    quiet: flags.quiet === true,
    input: output,
    endpoints: () => [],
    jobs: () => executors.flatMap((executor) => executor.views()),
  });
  const signals = stopOnSignals(runs, progress.note, undefined, STOPPING);
  try {
    await runs.all((run) =>
      run.send([], (item) => {
        if (item.status === "error") progress.failure(item);
      }), () => {});
  } finally {
    progress.stop();
    signals.release();
  }
  return report({ output, flags, runs, journal, store, before });
}

/** Waits for the jobs, and submits none. */
function waiting(pollInterval: number | undefined): JobsMode {
  return {
    via: "provider",
    settings: {
      wait: true,
      deadline: undefined,
      afterDeadline: "stop",
      pollInterval,
      clean: false,
      adopt: undefined,
      resend: false,
      limits: {},
    },
  };
}

/** The message of the first Ctrl-C. */
const STOPPING =
  "Stopping: the provider keeps cancelling the jobs; run the command again to collect the results.";

function report(
  { output, flags, runs, journal, store, before }: Omit<Collection, "models"> & {
    runs: ModelRuns;
    before: readonly PartState[];
  },
): number {
  const { succeeded, failed, interrupted } = runs.summary();
  const failures = runs.failures();
  const names = new Set(before.map(({ part }) => part));
  const left = cancellable(store.parts).filter(({ part }) => names.has(part));
  const failure = finishJournal(journal, failures[0], interrupted || left.length > 0);
  const done = before.length - left.length;
  if (left.length === 0) store.clearCancelRequest();
  const note = flags.quiet ? () => {} : writeNote;
  if (done > 0) {
    writeSentences(
      `Cancelled ${counted(done, "part")}: ${
        counted(succeeded, "row")
      } answered, ${failed} failed.${succeeded + failed > 0 ? ` Results: ${output}` : ""}`,
      note,
    );
  }
  if (left.length > 0) {
    writeSentences(
      `${counted(left.length, "part")} with ${rowCount(left)} ${
        left.length === 1 ? "is" : "are"
      } still at the provider. To continue: flexllm batch cancel ${quoted(output)}`,
    );
  }
  if (flags.json) {
    writeJson({
      output,
      cancelled: done,
      succeeded,
      failed,
      live: left.length,
      parts: store.parts.map(partJson),
    });
  }
  if (failure !== undefined) {
    reportError(failure, flags.verbose === true);
    return EXIT.usage;
  }
  if (interrupted) return EXIT.interrupted;
  return left.length > 0 ? EXIT.submitted : EXIT.ok;
}
