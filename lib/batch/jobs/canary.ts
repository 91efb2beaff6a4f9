/**
 * Limits the first part of each model to a few rows, so that a mistake that affects all rows shows early and costs little.
 *
 * @module
 */
import type { JobContext } from "./job_context.ts";
import type { LivePart } from "./live_part.ts";
import type { PartState } from "./part_events.ts";

/** Maximum rows of the first part of a model. */
export const CANARY_ROWS = 100;

/** Whether the provider has accepted the content of a part. */
function isAccepted({ job }: PartState): boolean {
  return job !== undefined && job.status !== "validating" && job.status !== "failed";
}

/** The models whose rows the provider has accepted, in this run or an earlier one. */
export class Canary {
  readonly #proven = new Set<string>();

  constructor({ store, client }: JobContext) {
    for (const state of store.parts) {
      if (state.endpoint === client.endpoint && isAccepted(state)) this.#proven.add(state.model);
    }
  }

  /** Maximum rows of the next part with this model. */
  maxRows(model: string): number {
    return this.#proven.has(model) ? Infinity : CANARY_ROWS;
  }

  /** Whether a first part is being validated, for which further ones wait. */
  isWaiting(parts: readonly LivePart[]): boolean {
    return parts.some((part) => part.isValidating && !this.#proven.has(part.state.model));
  }

  /** Notes the state of a part's job. */
  observe({ state }: LivePart): void {
    if (isAccepted(state)) this.#proven.add(state.model);
  }

  /** Makes the next part of a model a small one again. */
  distrust(model: string): void {
    this.#proven.delete(model);
  }
}
