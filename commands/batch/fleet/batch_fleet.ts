/**
 * Connects a batch to the Redis server over which workers share its records.
 *
 * @module
 */
import { completionsOf, type LLMClient } from "../../../lib/client/client.ts";
import { writeWarning } from "../../terminal/sentences.ts";
import { ConfigurationError } from "../../../lib/errors.ts";
import type { Coordinator } from "../../../lib/fleet/coordinator/coordinator.ts";
import type { JobRequest } from "../../../lib/fleet/job_spec.ts";
import type { InputCheck } from "../../../lib/input/check_input.ts";
import type { BatchSource } from "../../../lib/input/input_source.ts";
import type { FleetView } from "../../../lib/fleet/fleet_status.ts";
import type { BudgetShare } from "../../../lib/pricing/share_budget.ts";
import type { CostRow, CostTracker } from "../../../lib/pricing/cost_tracker.ts";
import type { ConnectionShare } from "../../../lib/redis/shared_connection.ts";
import type { ExecutorEvents } from "../jobs/jobs_run.ts";
import { FleetExecutor } from "./fleet_executor.ts";
import type { FleetSettings } from "./fleet_settings.ts";
import { inputId, jobRequest, type RequestedModel } from "./job_request.ts";

/** Records in progress at first, if this process sends none itself. */
const WITHOUT_WORKER = 64;

/** What a fleet needs of a batch. */
export interface SharedBatch {
  file: BatchSource;
  /** Path of the result file. */
  output: string;
  flags: { allowUnpriced?: boolean };
  prepared: { costTracker: CostTracker } & Pick<JobRequest, "limits" | "cache">;
}

/** What a fleet needs of the share of a batch that goes to one model. */
export interface SharedModel {
  model: RequestedModel & { client: LLMClient };
  check: Pick<InputCheck, "total" | "pending">;
}

/** A job, and what is known about it. */
export interface JobView extends FleetView {
  id: string;
}

/** The jobs of a batch: one for each model. */
export class BatchFleet {
  readonly settings: FleetSettings;
  readonly #share: ConnectionShare;
  readonly #coordinators: Coordinator[] = [];
  readonly #costs: CostTracker;
  #budget: BudgetShare | undefined;
  #unreport: () => void = () => {};

  private constructor(settings: FleetSettings, share: ConnectionShare, costs: CostTracker) {
    this.settings = settings;
    this.#share = share;
    this.#costs = costs;
  }

  /**
   * Connects to the server.
   *
   * @throws {ConfigurationError} if it cannot be used
   */
  static async open(settings: FleetSettings): Promise<BatchFleet> {
    const [{ shareConnection }, { warnAboutEviction }, { CostTracker }] = await Promise.all([
      import("../../../lib/redis/shared_connection.ts"),
      import("../../../lib/redis/eviction.ts"),
      import("../../../lib/pricing/cost_tracker.ts"),
    ]);
    const share = await shareConnection(settings.redis.address);
    warnAboutEviction(share.connection, writeWarning);
    return new BatchFleet(settings, share, new CostTracker());
  }

  /** The address of the server, without its password. */
  get server(): string {
    return this.settings.redis.address.shown;
  }

  /** The jobs, in the order of the models. */
  get jobs(): JobView[] {
    return this.#coordinators.map((coordinator) => ({ id: coordinator.job, ...coordinator.view }));
  }

  /** What all workers have spent, by model and endpoint. */
  costs(): CostRow[] {
    return this.#costs.report();
  }

  /**
   * Creates the jobs and their executors.
   *
   * @throws {ConfigurationError} if another process runs one of the jobs, or several have one name
   */
  async executors(
    batch: SharedBatch,
    batches: readonly SharedModel[],
    { onRetry, onNote }: ExecutorEvents,
  ): Promise<FleetExecutor[]> {
    const [{ Coordinator }, { FleetWorker }, { jobIdOf }] = await Promise.all([
      import("../../../lib/fleet/coordinator/coordinator.ts"),
      import("../../../lib/fleet/worker/worker.ts"),
      import("../../../lib/fleet/job_id.ts"),
    ]);
    const { connection } = this.#share;
    const { limits, cache } = batch.prepared;
    const { workersOnly, hedge, lease, job: given } = this.settings;
    const input = inputId(batch);
    if (given !== undefined && batches.length > 1) {
      throw new ConfigurationError("--job names one job, but each of several models is a job", {
        hint: "Leave it out; workers without --job take all of them.",
      });
    }
    const ids = batches.map(({ model }) => given ?? jobIdOf(jobRequest(model), input));
    const budget = await this.#shareBudget(batch, ids[0]);
    const executors: FleetExecutor[] = [];
    for (const [i, { model, check }] of batches.entries()) {
      const { client } = model;
      const coordinator = await Coordinator.open({
        connection,
        job: ids[i],
        request: jobRequest(model, { limits, cache, budget }),
        inputId: input,
        input: batch.file.name,
        total: check.total,
        done: check.total - check.pending,
        concurrency: workersOnly ? WITHOUT_WORKER : client.concurrencyLimit,
        hedge,
        lease,
        onNote,
        onLoss: writeWarning,
      });
      this.#coordinators.push(coordinator);
      const worker = workersOnly ? undefined : new FleetWorker({
        connection,
        connect: () => Promise.resolve({ completions: completionsOf(client) }),
        job: coordinator.job,
        isEmbedded: true,
        onRetry,
      });
      executors.push(new FleetExecutor({ coordinator, worker, costs: this.#costs }));
    }
    return executors;
  }

  /** Lets all workers spend from one budget, if there is one; its loss is reported with that of the records. */
  async #shareBudget({ prepared: { costTracker }, flags }: SharedBatch, id: string) {
    const { limit, spent } = costTracker;
    if (limit === undefined) return undefined;
    const { jobBudget, shareBudget } = await import("../../../lib/pricing/share_budget.ts");
    const { budgetConsequence, reportLoss } = await import("../../../lib/redis/loss_notice.ts");
    const { onStoreLoss } = this.settings.redis;
    this.#unreport = reportLoss(
      this.#share.connection,
      writeWarning,
      budgetConsequence(onStoreLoss),
    );
    const name = jobBudget(id);
    this.#budget = await shareBudget(this.#share.connection, costTracker, {
      name,
      minimum: spent,
      onStoreLoss: onStoreLoss.budget,
    });
    return { name, limit, allowUnpriced: flags.allowUnpriced ?? false };
  }

  /** Ends the jobs. Call it once the result file is closed. */
  async close(): Promise<void> {
    for (const coordinator of this.#coordinators) await coordinator.close();
    this.#unreport();
    await this.#budget?.close().catch(() => {});
    await this.#share.release();
  }
}
