/**
 * Plans parts: prepares pending records and fills drafts with their rows.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { BudgetExceededError, InvalidInputError } from "../../errors.ts";
import { nextTurn } from "../../runtime/next_turn.ts";
import type { Reservation } from "../../scheduling/budget.ts";
import type { IndexedRecord, Outcome } from "../executor.ts";
import { recordError } from "../record_problem.ts";
import type { PreparedRow } from "./job_client.ts";
import type { JobContext } from "./job_context.ts";
import { bytes as sizeText } from "./job_notes.ts";
import { LivePart } from "./live_part.ts";
import type { PartDraft } from "./part_store.ts";
import type { PendingRows } from "./pending_rows.ts";
import type { Room, SubmissionLimits } from "./submission_limits.ts";

/** Records that are prepared at the same time. */
const WINDOW = 32;
/** Maximum drafts at the same time: one for each combination of model, path and group. */
const MAX_DRAFTS = 8;
/** Microtasks to wait for a reservation before it is assumed to take longer. */
const MAX_TURNS = 8;
/** Windows of records after which other work of the process has its turn. */
const TURN_WINDOWS = 8;

/** A record and its row, or its outcome if it needs none. */
type Entry =
  | { record: IndexedRecord; row: PreparedRow; reservation?: Promise<Reservation> }
  | { outcome: Outcome };

interface OpenDraft {
  /** Its key among the drafts. */
  key: string;
  draft: PartDraft;
  model: string;
  path: string;
  reservations: Reservation[];
}

/** Plans the parts of one run. */
export class PartPlanner {
  readonly #context: JobContext;
  readonly #limits: SubmissionLimits;
  readonly #rows: PendingRows;
  readonly #drafts = new Map<string, OpenDraft>();
  #prepared: Entry[] = [];
  #windows = 0;
  /** What ends the planning: the next record does not fit into the budget. */
  #overBudget: Outcome | undefined;
  /** Whether the next record waits for money that other parts have reserved. */
  #waitsForBudget = false;
  /** Called when planning may continue. */
  onReady: () => void = () => {};

  constructor(context: JobContext, limits: SubmissionLimits, rows: PendingRows) {
    this.#context = context;
    this.#limits = limits;
    this.#rows = rows;
  }

  /** Whether there is nothing left to plan. */
  get isDone(): boolean {
    if (this.#drafts.size > 0) return false;
    return this.#overBudget !== undefined || (this.#rows.isEmpty && this.#prepared.length === 0);
  }

  /** Whether there is nothing left to plan, which may need a look at the next record. */
  async isExhausted(): Promise<boolean> {
    if (this.isDone) return true;
    if (this.#drafts.size > 0 || this.#prepared.length > 0) return false;
    return !await this.#rows.hasMore();
  }

  /** Whether planning waits for money. */
  get isWaiting(): boolean {
    return this.#waitsForBudget;
  }

  /** The outcome of the record that does not fit into the budget. Ends the batch. */
  get overBudget(): Outcome | undefined {
    return this.#overBudget;
  }

  /**
   * Fills a part, and yields the outcomes of records that need no row. Returns `undefined` if there are no
   * more records, or the next one waits for money.
   *
   * @param maxRows maximum rows of a part with this model, such as those of a canary
   */
  async *plan(
    room: Room,
    maxRows: (model: string) => number,
  ): AsyncGenerator<Outcome[], LivePart | undefined> {
    let outcomes: Outcome[] = [];
    while (this.#overBudget === undefined) {
      if (this.#context.stopping.signal.aborted) return undefined;
      const entry = await this.#next();
      if (entry === undefined) break;
      if ("outcome" in entry) {
        outcomes.push(entry.outcome);
        if (outcomes.length < WINDOW) continue;
        yield outcomes;
        outcomes = [];
        continue;
      }
      const full = await this.#add(entry, room, maxRows);
      if (full === "waiting") {
        if (outcomes.length > 0) yield outcomes;
        return this.#finish(this.#largest());
      }
      if (full !== undefined) {
        if (outcomes.length > 0) yield outcomes;
        return this.#finish(full);
      }
    }
    if (outcomes.length > 0) yield outcomes;
    return this.#finish(this.#largest());
  }

  /** Deletes the drafts. Their rows are planned by the next run. */
  close(): void {
    for (const { draft, reservations } of this.#drafts.values()) {
      draft.discard();
      for (const reservation of reservations) reservation.release();
    }
    this.#drafts.clear();
    for (const entry of this.#prepared) {
      if (!("row" in entry)) continue;
      entry.reservation?.then((reservation) => reservation.release(), () => {});
    }
    this.#prepared = [];
  }

  async #next(): Promise<Entry | undefined> {
    if (this.#prepared.length === 0) {
      // Signals and timers have their turn in between.
      if (++this.#windows % TURN_WINDOWS === 0) await this.#context.clock.sleep(0);
      const records: IndexedRecord[] = [];
      while (records.length < WINDOW) {
        const record = await this.#rows.next();
        if (record === undefined) break;
        records.push(record);
      }
      // Reversed: the next one is taken from the end.
      this.#prepared = (await Promise.all(records.map((record) => this.#prepare(record))))
        .reverse();
    }
    return this.#prepared.pop();
  }

  async #prepare(record: IndexedRecord): Promise<Entry> {
    try {
      const prepared = await this.#context.client.prepare(record);
      if ("cached" in prepared) return { outcome: { record, ok: true, result: prepared.cached } };
      return { record, row: prepared };
    } catch (error) {
      return { outcome: { record, ok: false, error: recordError(record, error) } };
    }
  }

  /** Adds a row. Returns the draft that has to be planned first, if it does not fit. */
  async #add(
    entry: Extract<Entry, { row: unknown }>,
    room: Room,
    maxRows: (model: string) => number,
  ): Promise<OpenDraft | "waiting" | undefined> {
    const { record, row } = entry;
    const { model, path } = row.request;
    const key = JSON.stringify([model, path, this.#context.client.api.groupOf?.(row.request)]);
    const open = this.#drafts.get(key);
    if (open === undefined && this.#drafts.size >= MAX_DRAFTS) return this.#later(entry);
    const target = open ??
      { key, draft: this.#context.store.draft(), model, path, reservations: [] };
    const { draft } = target;
    const id = draft.rowId(record, row);
    const line = this.#context.client.api.encodeRow(id, row.request);
    const size = Buffer.byteLength(line) + 1;
    if (size > this.#limits.rowBytes) {
      const limit = sizeText(this.#limits.rowBytes);
      const problem = `its request has ${sizeText(size)}, and a batch allows ${limit}`;
      const error = new InvalidInputError(`record ${record.index}: ${problem}`);
      this.#prepared.push({ outcome: { record, ok: false, error } });
      return undefined;
    }
    const fits = draft.rows < Math.min(room.rows, maxRows(model)) &&
      draft.bytes + size <= room.bytes &&
      draft.promptTokens + row.promptTokens <= room.promptTokens;
    if (!fits && draft.rows > 0) {
      this.#prepared.push(entry);
      return target;
    }
    // One reservation is needed to record what the part has cost, even without a budget.
    if ((row.maxCost ?? 0) > 0 || target.reservations.length === 0) {
      const reservation = await this.#reserve(entry);
      if (reservation === undefined) return "waiting";
      if (reservation === "never") return undefined;
      target.reservations.push(reservation);
    }
    this.#drafts.set(key, target);
    draft.add(record, row, id, line);
    return undefined;
  }

  /** Puts an entry back because there are too many drafts. */
  #later(entry: Entry): OpenDraft | undefined {
    this.#prepared.push(entry);
    return this.#largest();
  }

  /** Reserves the money of a row; `undefined` if it has to wait, `never` if it exceeds the budget. */
  async #reserve(
    entry: Extract<Entry, { row: unknown }>,
  ): Promise<Reservation | undefined | "never"> {
    const { client, stopping } = this.#context;
    const cost = entry.row.maxCost ?? 0;
    entry.reservation ??= client.reserve(cost, stopping.signal);
    let result: { reservation: Reservation } | { error: unknown } | undefined;
    const settled = entry.reservation.then(
      (reservation) => result = { reservation },
      (error: unknown) => result = { error },
    );
    // What fits now is reserved within a few microtasks.
    for (let turn = 0; turn < MAX_TURNS && result === undefined; turn++) await undefined;
    if (result === undefined) await nextTurn();
    this.#waitsForBudget = result === undefined;
    if (result === undefined) {
      this.#prepared.push(entry);
      settled.then(() => this.onReady());
      return undefined;
    }
    if ("reservation" in result) return result.reservation;
    if (!(result.error instanceof BudgetExceededError)) throw result.error;
    this.#overBudget = { record: entry.record, ok: false, error: result.error };
    return "never";
  }

  #largest(): OpenDraft | undefined {
    let largest: OpenDraft | undefined;
    for (const open of this.#drafts.values()) {
      if (largest === undefined || open.draft.rows > largest.draft.rows) largest = open;
    }
    return largest;
  }

  #finish(open: OpenDraft | undefined): LivePart | undefined {
    if (open === undefined) return undefined;
    const { client, options } = this.#context;
    const { key, model, path, draft, reservations } = open;
    this.#drafts.delete(key);
    const state = draft.plan({
      api: client.api.name,
      endpoint: client.endpoint,
      key: client.keyFingerprint,
      model,
      path,
      requested_model: options.requestedModel,
    });
    const part = new LivePart(this.#context, state);
    // One reservation for the part: those of its rows take memory until its results are collected.
    part.money.add(client.restore(state.reserved ?? 0));
    for (const reservation of reservations) reservation.release();
    this.#context.changed();
    return part;
  }
}
