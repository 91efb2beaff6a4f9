/**
 * Describes a line of a result file by what a journal has to know about it.
 *
 * @module
 */
import { ANY_INPUT, fingerprint } from "./fingerprint.ts";
import type { LineEntry } from "./record_index.ts";
import { type LineFacts, lineIdentity, type ResultRecord } from "./result_line.ts";

/** What a journal has to know about a line. One object is reused for all lines. */
export class ExistingLine implements LineFacts {
  index = -1;
  requested_model: string | undefined;
  status: "success" | "error" = "error";
  cost: number | undefined;
  spent_before: number | undefined;
  /** The state that the line gives its record. */
  state: LineEntry["state"] = "error";
  /** The hash of the record's input, or a special value: see fingerprint.ts. */
  fingerprint = NaN;
  /** The model that answered, by the name the server reports. */
  model: string | undefined;
  /** Whether the record named its own model. */
  hasOwnModel = false;
  /** Whether the answer has a parsed value. */
  isParsed = false;
  /** Whether the answer has tool calls. */
  hasToolCalls = false;

  /** Forgets the optional fields, before the next line. */
  reset(): void {
    this.requested_model = undefined;
    this.cost = undefined;
    this.spent_before = undefined;
    this.model = undefined;
    this.hasOwnModel = false;
    this.isParsed = false;
    this.hasToolCalls = false;
  }

  /** Takes everything from a parsed line. */
  setFrom(record: ResultRecord): this {
    this.index = record.index;
    this.requested_model = record.requested_model;
    this.status = record.status;
    this.cost = record.cost;
    this.spent_before = record.spent_before;
    this.model = typeof record.model === "string" ? record.model : undefined;
    this.hasOwnModel = record.options?.model !== undefined;
    this.isParsed = record.parsed !== undefined;
    this.hasToolCalls = record.tool_calls !== undefined;
    if (record.input === undefined) this.setWithoutInput();
    else this.setFingerprint(fingerprint(lineIdentity(record)));
    return this;
  }

  /** Sets the fingerprint of a line that has its record's input. The status is already set. */
  setFingerprint(fingerprint: number): void {
    this.state = this.status;
    this.fingerprint = fingerprint;
  }

  /**
   * Sets the fingerprint of a line without its record's input. It cannot be compared, so the record is sent again. A
   * success has been paid for, so the user must allow that with --rerun-changed: NaN matches no input.
   */
  setWithoutInput(): void {
    this.state = "error";
    this.fingerprint = this.status === "error" ? ANY_INPUT : NaN;
  }
}
