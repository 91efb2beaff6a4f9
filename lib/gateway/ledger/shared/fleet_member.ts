/**
 * A gateway as one of several: says that it is alive, and learns about the others.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import type { RedisConnection } from "../../../redis/redis_connection.ts";
import { TICK } from "./ledger_scripts.ts";

/** Milliseconds after which a gateway that is silent counts as dead. */
export const INSTANCE_TTL = 15_000;

/** What a gateway learns. */
export interface Tick {
  /** Whether the others knew this gateway to be alive. */
  wasKnown: boolean;
  /** Whether the server has lost its data, or was restarted, perhaps with older data. */
  hasLostData: boolean;
  /** Reservations of dead gateways that now count as spent. */
  recovered: number;
  /** Their amount in nanodollars. */
  recoveredCost: number;
  /** Changes whenever the keys do; empty if there are none. */
  keysVersion: string;
  /** Sums of scopes that have changed. */
  balances: [scope: string, sums: string[]][];
  /** Whether further scopes have changed. */
  hasMore: boolean;
}

type Reply = [
  now: number,
  wasKnown: number,
  size: number,
  recovered: number,
  cost: string,
  keysVersion: string,
  change: number,
  balances: [scope: string, sums: string[], change: string][],
  dataId: string,
  instances: string[],
];

/** This gateway among all that share a server. */
export class FleetMember {
  /** The id of this process. */
  readonly instance: string = randomUUID();
  readonly #connection: RedisConnection;
  readonly #isFile: boolean;
  #source: string;
  #size = 1;
  #change = 0;
  #offset = 0;
  #dataId: string | undefined;
  #run: string | undefined;
  #instances: readonly string[] = [];
  #hasTicked = false;
  #isBusy = false;

  /** @param ledger the id of the gateway's file, whose spending outlives the process */
  constructor(connection: RedisConnection, ledger: string | undefined) {
    this.#connection = connection;
    this.#isFile = ledger !== undefined;
    this.#source = ledger ?? this.instance;
    this.#offset = Date.now() - performance.now();
  }

  /** The id under which this gateway reports its spending. */
  get source(): string {
    return this.#source;
  }

  /** The number of running gateways when the server was last seen. */
  get size(): number {
    return this.#size;
  }

  /** The running gateways when the server was last seen, with this one. */
  get instances(): readonly string[] {
    return this.#instances;
  }

  /** Whether the server can be used. */
  get isUp(): boolean {
    return this.#connection.isUp;
  }

  /** Whether it waits for a reply. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Whether the server has answered once. */
  get hasTicked(): boolean {
    return this.#hasTicked;
  }

  /** The server's time in whole milliseconds since 1970. A change of this machine's clock has no effect on it. */
  now(): number {
    return Math.round(performance.now() + this.#offset);
  }

  /** Reports under a new id from now on. */
  renewSource(): void {
    this.#source = randomUUID();
  }

  /** Learns all sums again. */
  forgetChanges(): void {
    this.#change = 0;
  }

  /**
   * Says that this gateway is alive, and learns about the others.
   *
   * @throws {RedisUnavailableError} if the server cannot be used
   */
  async tick(): Promise<Tick> {
    this.#isBusy = true;
    const before = performance.now();
    const run = this.#connection.runId;
    let reply: Reply;
    try {
      const about = JSON.stringify({ source: this.#source, isFile: this.#isFile, run });
      reply = await this.#connection.run(TICK, [this.#connection.key("gateway")], [
        this.instance,
        about,
        INSTANCE_TTL,
        this.#change,
        run,
      ]) as Reply;
    } finally {
      this.#isBusy = false;
    }
    const [now, wasKnown, size, recovered, cost, keysVersion, change, balances, dataId, instances] =
      reply;
    this.#offset = now - (before + performance.now()) / 2;
    this.#size = Math.max(1, size);
    const hasLostData = this.#hasTicked && (this.#dataId !== dataId || this.#run !== run);
    this.#dataId = dataId;
    this.#run = run;
    if (hasLostData) this.#change = 0;
    const isFirst = !this.#hasTicked;
    this.#hasTicked = true;
    if (balances.length > 0) this.#change = Number(balances.at(-1)![2]);
    else this.#change = Math.min(change, this.#change);
    const hasMore = this.#change < change && balances.length > 0;
    // What the others have spent is known as well.
    if (!hasLostData && !hasMore) this.#instances = instances;
    return {
      wasKnown: isFirst || wasKnown === 1,
      hasLostData,
      recovered,
      recoveredCost: Number(cost),
      keysVersion,
      balances: balances.map(([scope, sums]) => [scope, sums]),
      hasMore,
    };
  }
}
