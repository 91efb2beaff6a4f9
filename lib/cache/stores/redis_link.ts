/**
 * Connects a cache store to its Redis server at the first use, and never lets a read wait for long.
 *
 * @module
 */
import { CacheError } from "../../errors.ts";
import type { RedisAddress } from "../../redis/redis_address.ts";
import type { RedisConnection } from "../../redis/redis_connection.ts";
import type { ConnectionShare } from "../../redis/shared_connection.ts";
import { withStoreTimeout } from "../store_timeout.ts";

/** Milliseconds that a read may take. */
export const READ_TIMEOUT = 250;

/** Milliseconds after a failed connection before the next one. */
const RECONNECT_DELAY = 5000;

/** Options of a {@link RedisLink}. */
export interface RedisLinkOptions {
  /**
   * Milliseconds that a read may take.
   *
   * @default 250
   */
  readTimeout?: number;
  /**
   * See {@link ConnectionOptions.needsWrites}.
   *
   * @default true
   */
  needsWrites?: boolean;
}

/** A link to a server. */
export class RedisLink {
  readonly address: RedisAddress;
  readonly #readTimeout: number;
  readonly #needsWrites: boolean;
  #opening: Promise<ConnectionShare> | undefined;
  #connection: RedisConnection | undefined;
  #failure: unknown;
  #retryAt = -Infinity;
  /** Whether a read has timed out and is still unanswered: others would only wait as long. */
  #isLate = false;
  #isClosed = false;
  #report: ((line: string) => void) | undefined;
  #unreport: () => void = () => {};

  constructor(
    address: RedisAddress,
    { readTimeout = READ_TIMEOUT, needsWrites = true }: RedisLinkOptions = {},
  ) {
    this.address = address;
    this.#readTimeout = readTimeout;
    this.#needsWrites = needsWrites;
  }

  /**
   * The connection.
   *
   * @throws {ConfigurationError} if the server cannot be used
   */
  async open(): Promise<RedisConnection> {
    if (this.#connection !== undefined) return this.#connection;
    if (this.#isClosed) throw new CacheError("the store is closed");
    if (performance.now() < this.#retryAt) throw this.#failure;
    this.#opening ??= this.#connect();
    return (await this.#opening).connection;
  }

  /**
   * Runs a read, which fails if it takes too long. Only the first one may wait for the connection.
   *
   * @throws {CacheError} if the server does not answer in time
   * @throws {FlexLLMError} if the server cannot be used
   */
  async read<T>(operation: (connection: RedisConnection) => Promise<T>): Promise<T> {
    if (this.#isLate) throw this.#late();
    if (this.#failure === undefined) await this.open();
    let isSettled = false;
    const settle = () => {
      isSettled = true;
      this.#isLate = false;
    };
    const work = this.open().then(operation);
    work.then(settle, settle);
    try {
      return await withStoreTimeout(work, this.#readTimeout);
    } catch (error) {
      if (isSettled) throw error;
      this.#isLate = true;
      throw this.#late();
    }
  }

  /** Reports the loss and the return of the server, once it has been connected. */
  reportLoss(report: (line: string) => void): void {
    this.#report = report;
  }

  /** Gives the connection up. */
  async close(): Promise<void> {
    this.#unreport();
    this.#isClosed = true;
    this.#connection = undefined;
    const share = await this.#opening?.catch(() => undefined);
    await share?.release();
  }

  async #connect(): Promise<ConnectionShare> {
    try {
      const [{ shareConnection }, { reportLoss }] = await Promise.all([
        import("../../redis/shared_connection.ts"),
        import("../../redis/loss_notice.ts"),
      ]);
      const share = await shareConnection(this.address, { needsWrites: this.#needsWrites });
      if (this.#isClosed) return share;
      this.#connection = share.connection;
      if (this.#report !== undefined) {
        this.#unreport = reportLoss(share.connection, this.#report, "no cached answers are used");
      }
      return share;
    } catch (error) {
      this.#failure = error;
      this.#retryAt = performance.now() + RECONNECT_DELAY;
      this.#opening = undefined;
      throw error;
    }
  }

  #late(): CacheError {
    const { shown } = this.address;
    return new CacheError(
      `Redis at ${shown} did not answer within ${this.#readTimeout / 1000} s`,
    );
  }
}
