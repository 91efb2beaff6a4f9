/**
 * Records the possible spending of a batch, so that its budget holds across kills: a server may bill an
 * answer that a killed run never received.
 *
 * Money is authorized in blocks, not per request. After a kill, authorized money that is not in the result
 * file counts as spent.
 *
 * @module
 */
import { asNumber } from "../../json/json.ts";
import type { SpendingLedger } from "../../pricing/cost_tracker.ts";
import { StateFile, stateFileProblem } from "./state_file.ts";

/** The share of the budget that is authorized at once. */
const BLOCK = 1 / 100;
/** Allowance for floating-point rounding. */
const TOLERANCE = 1e-9;
/** The type of the ledger's entry in the state file. */
const ENTRY = "spending";

/** The ledger's entry, in USD. */
interface Spending {
  /** The maximum that may have been spent in total, including the costs in the result file. */
  authorized: number;
  /** The amount that was or may have been spent on answers that are in no result file. */
  lost: number;
}

function readSpending(file: StateFile): Spending | undefined {
  const entry = file.get(ENTRY);
  if (entry === undefined) return undefined;
  const [authorized, lost] = [asNumber(entry.authorized), asNumber(entry.lost)];
  if (authorized === undefined || lost === undefined || !(authorized >= 0 && lost >= 0)) {
    throw stateFileProblem(file.path);
  }
  return { authorized, lost };
}

/** The budget ledger of one result file. The caller holds the lock of the result file. */
export class BudgetLedger implements SpendingLedger {
  readonly #file: StateFile;
  readonly #limit: number | undefined;
  #authorized: number;
  /** USD that were or may have been spent on answers that are in no result file. */
  readonly lost: number;

  /**
   * Opens the ledger of the result file `output`.
   *
   * @param recorded USD that the records in the result file cost
   * @param limit the budget in USD; without one, nothing is authorized, but lost amounts are saved
   * @param abandoned USD that count as spent on parts that the log of the batch has as abandoned; what its live
   *   parts hold is in that log as well, and never authorized here
   * @throws {JournalError} if the state file cannot be read or written, or has other content
   */
  constructor(output: string, recorded: number, limit: number | undefined, abandoned = 0) {
    this.#file = new StateFile(output);
    this.#limit = limit;
    const saved = readSpending(this.#file);
    const { authorized = 0, lost = 0 } = saved ?? {};
    this.lost = lost + Math.max(0, authorized - lost - recorded - abandoned);
    this.#authorized = recorded + this.lost + abandoned;
    if (saved !== undefined) this.#save(this.lost);
  }

  /** Authorizes spending up to `total` USD. A process killed after this may have spent that much. */
  authorize(total: number): void {
    if (total <= this.#authorized) return;
    const block = (this.#limit ?? 0) * BLOCK;
    this.#authorized = Math.max(total, Math.min(total + block, this.#limit ?? total));
    this.#save(this.lost);
  }

  /**
   * Ends the run, which has spent `spent` USD in total, of which `recorded` are in the result file and
   * `abandoned` are those of abandoned parts by now. If nothing else was spent, removes the entry.
   */
  close(spent: number, recorded: number, abandoned = 0): void {
    const missing = this.#limit === undefined ? this.lost : spent - recorded - abandoned;
    const lost = missing > TOLERANCE * Math.max(1, recorded) ? missing : 0;
    this.#authorized = recorded + lost + abandoned;
    if (lost > 0) this.#save(lost);
    else this.#file.delete(ENTRY);
    this.#file.close();
  }

  #save(lost: number): void {
    this.#file.set(ENTRY, { authorized: this.#authorized, lost });
  }
}
