/**
 * The part of a client that provider jobs need: encodes records into rows, and decodes the rows' answers.
 *
 * @module
 */
import type { ChatResult } from "../../chat/result.ts";
import type { BatchApi, RowRequest, RowResult } from "../../batch_api/batch_api.ts";
import type { BatchHttp } from "../../batch_api/batch_http.ts";
import type { Reservation } from "../../scheduling/budget.ts";
import type { IndexedRecord, Outcome } from "../executor.ts";

/** A record that is ready to be sent. */
export interface PreparedRow {
  request: RowRequest;
  /** Estimated input tokens. */
  promptTokens: number;
  /** Maximum cost in USD at the batch price; `null` if the price is unknown, 0 without a budget. */
  maxCost: number | null;
}

/** The endpoint of a client, as provider jobs use it. */
export interface JobClient {
  /** The batch API for requests of this client's wire format. */
  readonly api: BatchApi;
  readonly http: BatchHttp;
  /** The base URL without secrets. */
  readonly endpoint: string;
  /** Identifies the API key without revealing it: 8 hexadecimal digits; empty without a key. */
  readonly keyFingerprint: string;
  /** The model of records that name none. */
  readonly model?: string;
  /** Parses JSON as {@link JobClient.decode} needs it. */
  parse(text: string): unknown;
  /**
   * The cached answer to a record, or the row to send. Loads attachments.
   *
   * @throws {FlexLLMError} if the record is invalid, or the batch API cannot take it
   */
  prepare(record: IndexedRecord): Promise<{ cached: ChatResult } | PreparedRow>;
  /**
   * Decodes a row that was processed, and writes the answer to the cache. Its cost is that of a batch, and is not
   * counted yet: commit it to the reservation of the row's part.
   *
   * @param model the model that the row was sent to. @default the one of this client, or of the record
   * @throws {FlexLLMError} if the row failed, or its answer does not match the schema
   */
  decode(
    row: Extract<RowResult, { kind: "answer" | "error" }>,
    record: IndexedRecord,
    model?: string,
  ): Promise<ChatResult>;
  /** Passes a record that was collected on to those who observe calls; absent if nobody does. */
  readonly report?: (outcome: Outcome) => void;
  /**
   * Reserves the money for rows, which waits for other parts if needed.
   *
   * @throws {BudgetExceededError} if it can never fit
   */
  reserve(cost: number, signal?: AbortSignal): Promise<Reservation>;
  /**
   * Reserves money for the rows of a part of an earlier run that are not in the result file, even beyond the
   * budget. See `heldCost` in held_cost.ts.
   */
  restore(cost: number): Reservation;
}
