/**
 * Lets a cost tracker spend from a budget that several processes share through Redis.
 *
 * @module
 */
import type { RedisConnection } from "../redis/redis_connection.ts";
import { SharedBudget, type SharedBudgetOptions } from "../scheduling/shared/shared_budget.ts";
import type { CostTracker } from "./cost_tracker.ts";

/** The part of a shared budget that a tracker spends from. */
export interface BudgetShare extends AsyncDisposable {
  /** USD that all processes have spent or hold for requests, at the last report. */
  readonly total: number;
  /** Waits until the server knows everything that the tracker has counted so far. */
  flush(): Promise<void>;
  /** Ends the sharing: returns what is not spent. What is still reserved keeps counting as spent. */
  close(): Promise<void>;
}

/** The name of the budget of a fleet's job. */
export function jobBudget(job: string): string {
  return `job:${job}`;
}

/**
 * Makes `tracker` spend from the shared budget `name`, up to its own limit. Everything that it has counted so far
 * must be in `minimum`, and in no other process's part: it is what the budget starts with.
 *
 * From then on, every reservation, charge and {@link CostTracker.addSpent} of the tracker counts for all
 * processes. A process that only reports what others have spent needs a tracker of its own for that.
 *
 * @throws {RedisUnavailableError} if the server cannot be used
 */
export async function shareBudget(
  connection: RedisConnection,
  tracker: CostTracker,
  options: Omit<SharedBudgetOptions, "limit">,
): Promise<BudgetShare> {
  const budget = await SharedBudget.open(connection, { ...options, limit: tracker.limit });
  const end = tracker.share(budget);
  const close = async () => {
    await budget.close();
    end();
  };
  return {
    get total() {
      return budget.total;
    },
    flush: () => budget.flush(),
    close,
    [Symbol.asyncDispose]: close,
  };
}
