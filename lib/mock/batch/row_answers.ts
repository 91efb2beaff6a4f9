/**
 * Answers the rows of a mock job, in the order in which they are done.
 *
 * The answers are made when they are read, so that a job needs a few bytes of memory per row.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { readLinesSync } from "../../files/lines.ts";
import { asNumber, asObject, tryParse } from "../../json/json.ts";
import { seedOf } from "../../runtime/random.ts";
import type { Blob } from "./blobs.ts";
import { type JobRecord, rowOrder } from "./job.ts";

/** One row of a job. */
export interface BatchRow {
  /** The client's id of the row; "" if it has none. */
  id: string;
  /** The path of the equivalent synchronous request, such as `/v1/chat/completions`. */
  path: string;
  /** The body of that request. */
  body: unknown;
}

/** The answer to a row, as the synchronous API gives it. */
export interface RowAnswer {
  /** The position in the input, from 0. */
  index: number;
  row: BatchRow;
  status: number;
  body: unknown;
  requestId: string;
}

/** Sends a request to the mock. */
export type SendRow = (path: string, body: string) => Promise<Response>;

/** The number of answers, and their tokens, among the first rows. */
export interface RowTotals {
  succeeded: number;
  failed: number;
  promptTokens: number;
  completionTokens: number;
}

/** Rows after which other work gets a turn. */
const SLICE = 64;

function usageOf(body: unknown): [prompt: number, completion: number] {
  const answer = asObject(body);
  const usage = asObject(answer?.usage) ?? asObject(answer?.usageMetadata) ?? {};
  const count = (...names: string[]) =>
    names.map((name) => asNumber(usage[name])).find((value) => value !== undefined) ?? 0;
  return [
    count("prompt_tokens", "input_tokens", "promptTokenCount"),
    count("completion_tokens", "output_tokens", "candidatesTokenCount"),
  ];
}

/** Puts line separators into the texts of an answer, except into JSON. */
function withSeparators(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSeparators);
  const object = asObject(value);
  if (object === undefined) return value;
  return Object.fromEntries(
    Object.entries(object).map(([name, field]) => {
      const isText = typeof field === "string" && field !== "" &&
        (name === "text" || name === "content") && !/^[{[]/.test(field);
      return [name, isText ? `${field}\u2028second\u2029third` : withSeparators(field)];
    }),
  );
}

/** The rows of one job and their answers. */
export class RowAnswers {
  readonly #job: JobRecord;
  readonly #blob: Blob;
  readonly #parseRow: (line: unknown, index: number) => BatchRow;
  readonly #send: SendRow;
  readonly #offsets: Float64Array;
  readonly #lengths: Uint32Array;
  readonly #order: (order: number) => number;
  /** Sums over the first n rows. */
  readonly #succeeded: Uint32Array;
  readonly #prompt: Float64Array;
  readonly #completion: Float64Array;
  #evaluated = 0;
  #evaluation: Promise<void> | undefined;

  constructor(
    job: JobRecord,
    blob: Blob,
    seed: number,
    parseRow: (line: unknown, index: number) => BatchRow,
    send: SendRow,
  ) {
    this.#job = job;
    this.#blob = blob;
    this.#parseRow = parseRow;
    this.#send = send;
    this.#order = rowOrder(job.rows, seedOf(String(job.number), seed));
    this.#offsets = new Float64Array(job.rows);
    this.#lengths = new Uint32Array(job.rows);
    this.#succeeded = new Uint32Array(job.rows + 1);
    this.#prompt = new Float64Array(job.rows + 1);
    this.#completion = new Float64Array(job.rows + 1);
    let index = 0;
    for (const { offset, length } of readLinesSync(blob.read)) {
      if (length === 0 || index >= job.rows) continue;
      this.#offsets[index] = offset;
      this.#lengths[index++] = length;
    }
  }

  /** Rows whose answers are known. */
  get evaluated(): number {
    return this.#evaluated;
  }

  /** Answers all rows once, to count them. */
  evaluate(): Promise<void> {
    return this.#evaluation ??= this.#evaluate();
  }

  async #evaluate(): Promise<void> {
    for (let order = 0; order < this.#job.rows; order++) {
      const { status, body } = await this.answer(order);
      const [prompt, completion] = status < 400 ? usageOf(body) : [0, 0];
      this.#succeeded[order + 1] = this.#succeeded[order] + (status < 400 ? 1 : 0);
      this.#prompt[order + 1] = this.#prompt[order] + prompt;
      this.#completion[order + 1] = this.#completion[order] + completion;
      this.#evaluated = order + 1;
      if (order % SLICE === SLICE - 1) await new Promise((resolve) => setTimeout(resolve));
    }
  }

  /** The totals of the first `done` rows. */
  totals(done: number): RowTotals {
    const count = Math.min(done, this.#evaluated);
    return {
      succeeded: this.#succeeded[count],
      failed: count - this.#succeeded[count],
      promptTokens: this.#prompt[count],
      completionTokens: this.#completion[count],
    };
  }

  /** Whether a row was answered with success. */
  isBilled(order: number): boolean {
    return this.#succeeded[order + 1] > this.#succeeded[order];
  }

  /** The row that is done as the `order`-th. */
  row(order: number): { index: number; row: BatchRow; line: string } {
    const index = this.#order(order);
    const bytes = Buffer.alloc(this.#lengths[index]);
    this.#blob.read(bytes, this.#offsets[index]);
    const line = bytes.toString("utf8");
    return { index, row: this.#parseRow(tryParse(line), index), line };
  }

  /** Answers the row that is done as the `order`-th. */
  async answer(order: number): Promise<RowAnswer> {
    const { index, row } = this.row(order);
    const { faults, id } = this.#job;
    const status = order < (faults.row_errors ?? 0) ? 500 : faults.all_errors;
    const path = status === undefined ? row.path : `/__row_error/${status}${row.path}`;
    const response = await this.#send(path, JSON.stringify(row.body) ?? "");
    const body = tryParse(await response.text());
    return {
      index,
      row,
      status: response.status,
      body: faults.line_separators === undefined ? body : withSeparators(body),
      requestId: `req_${id.replace(/^[a-z]+[_-]/, "").slice(0, 12)}_${index + 1}`,
    };
  }
}
