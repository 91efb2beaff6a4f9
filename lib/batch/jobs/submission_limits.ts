/**
 * Decides how much may be at the provider at the same time, and learns limits that the provider doesn't publish.
 *
 * @module
 */
import type { BatchLimits } from "../../batch_api/batch_api.ts";
import { FlexLLMError, HttpError } from "../../errors.ts";
import type { JobLimits } from "../job_options.ts";
import type { JobContext } from "./job_context.ts";
import type { LivePart } from "./live_part.ts";

/** Maximum rows of a part, unless the user sets it: a job that fails or expires costs less then. */
const DEFAULT_PART_ROWS = 10_000;
/** The share of a limit in bytes that is used: the encoding of a whole file may add a little. */
const BYTES_SHARE = 0.95;
/** The share of a limit of queued tokens that is used: they are only estimated. */
const TOKENS_SHARE = 0.8;
/** Seconds to wait for a quota if no job is running whose end would free some of it. */
const FIRST_WAIT = 60;
const LONGEST_WAIT = 300;

const QUOTA =
  /token_limit_exceeded|enqueued|resource.?exhausted|too.?many.?(batch|job)|(batch|job)e?s?.{0,30}(queue|limit|quota)|queue.{0,20}(full|limit)/i;

/** Whether a refusal says that too much is queued: it can be repeated once jobs have ended. */
export function isQuotaProblem({ code, message }: { code?: string; message: string }): boolean {
  return QUOTA.test(code ?? "") || QUOTA.test(message);
}

/** Whether `error` says that too much is queued. */
export function isQuotaError(error: unknown): boolean {
  if (!(error instanceof FlexLLMError)) return false;
  const { providerCode: code, providerMessage, status } = error instanceof HttpError
    ? error
    : { providerCode: undefined, providerMessage: undefined, status: 0 };
  // Waiting does not pay an overdue bill.
  if (status === 401 || status === 402 || code === "insufficient_quota") return false;
  return isQuotaProblem({ code, message: providerMessage ?? error.message });
}

/** The maximum size of a part. */
export function partLimits(
  api: Pick<BatchLimits, "rows" | "bytes">,
  limits: Pick<JobLimits, "rows" | "bytes"> = {},
): { rows: number; bytes: number } {
  return {
    rows: Math.min(limits.rows ?? DEFAULT_PART_ROWS, api.rows),
    bytes: Math.floor(Math.min(limits.bytes ?? Infinity, api.bytes) * BYTES_SHARE),
  };
}

/** How much room a part may take. */
export interface Room {
  rows: number;
  bytes: number;
  promptTokens: number;
}

/** The limits of one run. */
export class SubmissionLimits {
  readonly #context: JobContext;
  /** Learned: maximum rows and tokens of a part, and of all parts together. */
  #partRows = Infinity;
  #partTokens = Infinity;
  #queuedTokens = Infinity;
  /** Waits in a row for quota. */
  #waits = 0;
  /** Until when nothing is submitted, in milliseconds of the clock. */
  #pausedUntil = -Infinity;

  constructor(context: JobContext) {
    this.#context = context;
  }

  /** Maximum jobs at the same time. */
  get jobs(): number {
    const { limits = {}, client } = this.#context.options;
    // Most services name no limit, and a full queue is waited for.
    return Math.max(1, limits.jobs ?? client.api.limits.jobs);
  }

  /** Whether one more job may be created while `parts` exist. */
  allowsJob(parts: readonly LivePart[]): boolean {
    const atProvider = parts.filter(({ isAtProvider }) => isAtProvider);
    // Without anything that identifies a job, only one may be unclear at any time.
    const isOneByOne = this.#context.client.api.foundBy === "nothing";
    if (isOneByOne && atProvider.some(({ isUnclear }) => isUnclear)) return false;
    return atProvider.length < this.jobs;
  }

  /** Maximum size of a row in bytes. */
  get rowBytes(): number {
    return Math.min(this.#context.client.api.limits.rowBytes ?? Infinity, this.#bytes);
  }

  /** The room for one more part while `parts` exist; `undefined` if there is none. */
  room(parts: readonly LivePart[]): Room | undefined {
    const { limits = {}, client: { api } } = this.#context.options;
    const queued = parts.filter(({ state }) => state.phase !== "ended");
    const rows = queued.reduce((sum, { state }) => sum + state.rows, 0);
    const tokens = queued.reduce((sum, { state }) => sum + (state.prompt_tokens ?? 0), 0);
    const maxTokens = Math.min(
      (limits.queuedTokens ?? Infinity) * TOKENS_SHARE,
      this.#queuedTokens,
    );
    const isAlone = queued.length === 0;
    const room: Room = {
      rows: Math.min(
        partLimits(api.limits, limits).rows,
        this.#partRows,
        (api.limits.queuedRows ?? Infinity) - rows,
      ),
      bytes: this.#bytes,
      promptTokens: Math.min(this.#partTokens, maxTokens - tokens),
    };
    // However low the limit: one row must always fit, or the batch would never progress.
    if (isAlone) room.rows = Math.max(1, room.rows);
    if (room.rows < 1 || (!isAlone && room.promptTokens <= 0)) return undefined;
    return room;
  }

  get #bytes(): number {
    const { limits, client: { api } } = this.#context.options;
    return partLimits(api.limits, limits).bytes;
  }

  /** Until when nothing is submitted because of a quota, in milliseconds of the clock. */
  get pausedUntil(): number {
    return this.#pausedUntil;
  }

  /** Whether nothing is submitted at the moment because of a quota. */
  get isPaused(): boolean {
    return this.#context.clock.now() < this.#pausedUntil;
  }

  /**
   * Learns from a refusal of `part` because too much was queued, and pauses. Returns whether its rows should be
   * split into smaller parts: it was alone, so that nothing will free the quota for it.
   */
  refused(part: LivePart, parts: readonly LivePart[]): boolean {
    const others = parts.filter((other) => other !== part && other.isAtProvider);
    const tokens = others.reduce((sum, { state }) => sum + (state.prompt_tokens ?? 0), 0);
    part.show("waiting for quota");
    part.failures = 0;
    part.wait(Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#waits++));
    this.#pausedUntil = part.dueAt;
    if (others.length > 0) {
      this.#queuedTokens = Math.min(this.#queuedTokens, tokens + part.state.prompt_tokens / 2);
      return false;
    }
    if (part.state.rows < 2) return false;
    this.#partRows = Math.ceil(part.state.rows / 2);
    this.#partTokens = Math.max(1, Math.ceil(part.state.prompt_tokens / 2));
    return true;
  }

  /** Whether a quota was reached again and again, without a job in between. */
  get isStillFull(): boolean {
    return this.#waits > 1;
  }

  /** Notes that the provider took a job. */
  accepted(): void {
    this.#waits = 0;
  }

  /** Lets parts that wait for quota try again, since a job has ended. */
  freed(parts: readonly LivePart[]): void {
    this.#pausedUntil = -Infinity;
    for (const part of parts) {
      if (part.activity === "waiting for quota") part.dueAt = this.#context.clock.now();
    }
  }
}
