/**
 * What a batch may have spent, kept beside its result file (`OUT.state`), so that a budget holds across
 * kills: an answer that a killed run never got may still be billed.
 *
 * Money is authorized in blocks, not request by request. After a kill, what was authorized and is not in
 * the result file counts as spent.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  closeSync,
  constants,
  fdatasyncSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { JournalError } from "../../errors.ts";
import { asNumber, asObject } from "../../json/json.ts";
import type { SpendingLedger } from "../../pricing/cost_tracker.ts";
import { fileProblem, resolvePath } from "./output_file.ts";

/** The part of a budget that is authorized at once. */
const BLOCK = 1 / 100;
/** The file is written in place, so each state must be as long as the one before. */
const LENGTH = 128;
/** Allowance for floating-point rounding. */
const TOLERANCE = 1e-9;

/** What the file holds, in USD. */
interface State {
  /** What may have been spent in total, including what is in the result file. */
  authorized: number;
  /** What was spent, or may have been, on answers that are in no result file. */
  lost: number;
}

function readState(path: string): State | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw fileProblem(error, path);
  }
  // Killed between creating it and its first line, which is written before anything is sent.
  if (text === "") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Named below.
  }
  const state = asObject(value);
  const [authorized, lost] = [asNumber(state?.authorized), asNumber(state?.lost)];
  if (authorized === undefined || lost === undefined || !(authorized >= 0 && lost >= 0)) {
    throw new JournalError(`${path} is not a budget state file`, {
      hint:
        "Delete it if the requests that a killed run had in flight need not count towards the budget.",
    });
  }
  return { authorized, lost };
}

/** The ledger of one result file, whose lock the caller holds. */
export class BudgetLedger implements SpendingLedger {
  readonly #path: string;
  readonly #limit: number | undefined;
  #fd: number | undefined;
  #authorized: number;
  /** USD that were spent, or may have been, on answers that are in no result file. */
  readonly lost: number;

  /**
   * Opens the ledger of the result file `output`, whose records have cost `recorded` USD.
   *
   * @param limit the budget in USD; without one, nothing is authorized, but lost amounts are kept
   * @throws {JournalError} when the file cannot be read or written, or is not a ledger
   */
  constructor(output: string, recorded: number, limit: number | undefined) {
    this.#path = `${resolvePath(output)}.state`;
    this.#limit = limit;
    const state = readState(this.#path);
    const { authorized = 0, lost = 0 } = state ?? {};
    this.lost = lost + Math.max(0, authorized - lost - recorded);
    this.#authorized = recorded + this.lost;
    if (state !== undefined) this.#write(this.lost);
  }

  /** Authorizes spending up to `total` USD: a process killed after this may have spent that much. */
  authorize(total: number): void {
    if (total <= this.#authorized) return;
    const block = (this.#limit ?? 0) * BLOCK;
    this.#authorized = Math.max(total, Math.min(total + block, this.#limit ?? total));
    this.#write(this.lost);
  }

  /**
   * Ends the run: `spent` USD in all, of which `recorded` are in the result file. The file is removed if
   * these are equal.
   */
  close(spent: number, recorded: number): void {
    const missing = this.#limit === undefined ? this.lost : spent - recorded;
    const lost = missing > TOLERANCE * Math.max(1, recorded) ? missing : 0;
    this.#authorized = recorded + lost;
    if (lost > 0) this.#write(lost);
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    if (lost === 0) rmSync(this.#path, { force: true });
  }

  #write(lost: number): void {
    const state: State = { authorized: this.#authorized, lost };
    const bytes = Buffer.from(`${JSON.stringify(state).padEnd(LENGTH - 1)}\n`);
    try {
      // Not truncated first: the process may be killed before the write.
      this.#fd ??= openSync(this.#path, constants.O_RDWR | constants.O_CREAT, 0o666);
      writeSync(this.#fd, bytes, 0, bytes.length, 0);
      fdatasyncSync(this.#fd);
    } catch (error) {
      throw fileProblem(error, this.#path);
    }
  }
}
