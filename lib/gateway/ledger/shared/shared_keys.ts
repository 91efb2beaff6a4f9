/**
 * Virtual keys that several gateways share: one has the file and publishes them, the others follow.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { ConfigurationError } from "../../../errors.ts";
import type { RedisConnection } from "../../../redis/redis_connection.ts";
import type { KeyChange, KeyTable, StoredKey } from "../ledger.ts";
import { INSTANCE_TTL } from "./fleet_member.ts";
import { CLAIM_KEYS, PUBLISH_KEYS, RESIGN } from "./key_scripts.ts";

/** The keys of a gateway that shares them. */
export interface SharedKeys {
  /** The keys; the same array until they change. While the server cannot be used, the last ones. */
  readonly current: readonly StoredKey[];
  /** Changes a key. */
  change(decide: (keys: readonly StoredKey[]) => KeyChange): Promise<void>;
  /** Compares the keys with those at the server, which have this version. */
  tick(version: string): Promise<void>;
  /** Restores the keys after the server has lost data. */
  restore(): Promise<void>;
  /** Stops publishing. */
  resign(): Promise<void>;
}

/** Where the file with the keys is. */
export interface KeysOwner {
  /** The id of the database. */
  ledger: string;
  /** Its machine and its path. */
  place: string;
}

/**
 * Claims that the keys in a file are those of all gateways. Returns the owner of other keys that are in use.
 *
 * @throws {RedisUnavailableError} if the server cannot be used
 */
export async function claimKeys(
  connection: RedisConnection,
  { ledger, place }: KeysOwner,
  instance: string,
): Promise<KeysOwner | undefined> {
  const reply = await connection.run(CLAIM_KEYS, [connection.key("gateway")], [
    ledger,
    place,
    instance,
    INSTANCE_TTL,
  ]) as string[];
  return reply.length === 0 ? undefined : { ledger: reply[0], place: reply[1] };
}

/** The owner of the keys that are published; `undefined` if there are none. */
export async function keysOwner(connection: RedisConnection): Promise<KeysOwner | undefined> {
  const name = connection.key("gateway", "keys");
  const [ledger, place] = await connection.command([
    "HMGET",
    name,
    "owner",
    "place",
  ]) as (string | null)[];
  return ledger === null ? undefined : { ledger, place: place ?? "" };
}

/** Publishes the keys of a file. */
export class PublishedKeys implements SharedKeys {
  readonly #connection: RedisConnection;
  readonly #table: KeyTable;
  readonly #owner: KeysOwner;
  readonly #instance: string;
  readonly #onWarning: (message: string) => void;
  #published: readonly StoredKey[] | undefined;
  #version = "";
  #wasReplaced = false;

  constructor(
    connection: RedisConnection,
    table: KeyTable,
    owner: KeysOwner,
    instance: string,
    onWarning: (message: string) => void,
  ) {
    this.#connection = connection;
    this.#table = table;
    this.#owner = owner;
    this.#instance = instance;
    this.#onWarning = onWarning;
  }

  get current(): readonly StoredKey[] {
    return this.#table.currentKeys();
  }

  async change(decide: (keys: readonly StoredKey[]) => KeyChange): Promise<void> {
    await this.#table.changeKeys(decide);
    if (this.#connection.isUp) await this.tick(this.#version).catch(() => {});
  }

  async tick(version: string): Promise<void> {
    const other = await claimKeys(this.#connection, this.#owner, this.#instance);
    if (other !== undefined) {
      if (!this.#wasReplaced) {
        this.#onWarning(
          `the keys of the other gateways now come from another database, ${other.place}; this gateway still uses ` +
            `those in ${this.#owner.place}. Stop one of the two`,
        );
      }
      this.#wasReplaced = true;
      return;
    }
    this.#wasReplaced = false;
    const keys = this.#table.currentKeys(true);
    if (keys === this.#published && version === this.#version) return;
    const next = randomUUID();
    await publishKeys(this.#connection, keys, this.#owner, next, true);
    this.#published = keys;
    this.#version = next;
  }

  async restore(): Promise<void> {
    await this.tick("");
  }

  async resign(): Promise<void> {
    await this.#connection.run(RESIGN, [this.#connection.key("gateway")], [this.#instance]);
  }
}

/** Publishes a list of keys; without `force` only if there is none. */
export async function publishKeys(
  connection: RedisConnection,
  keys: readonly StoredKey[],
  { ledger, place }: KeysOwner,
  version: string,
  force: boolean,
): Promise<void> {
  await connection.run(PUBLISH_KEYS, [connection.key("gateway")], [
    ledger,
    place,
    version,
    JSON.stringify(keys),
    force ? "1" : "",
  ]);
}

/** Follows the keys that another gateway publishes. */
export class FollowedKeys implements SharedKeys {
  readonly #connection: RedisConnection;
  #keys: readonly StoredKey[] = [];
  #version = "";
  /** All versions so far: one of them that comes back is older data. */
  readonly #versions = new Set<string>();
  #owner: KeysOwner | undefined;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  get current(): readonly StoredKey[] {
    return this.#keys;
  }

  change(): Promise<void> {
    const place = this.#owner?.place;
    return Promise.reject(
      new ConfigurationError("this gateway takes its keys from another one through Redis", {
        hint: place === undefined
          ? "Start a gateway with --database, and change the keys there."
          : `Change them in the database ${place}.`,
      }),
    );
  }

  async tick(version: string): Promise<void> {
    if (version === this.#version) return;
    // Deleted keys are published as an empty list: without any, the server has lost its data.
    if (version === "") return await this.restore();
    const name = this.#connection.key("gateway", "keys");
    const [current, keys, ledger, place] = await this.#connection.command(
      ["HMGET", name, "version", "keys", "owner", "place"],
    ) as (string | null)[];
    if (current === null || keys === null) return;
    this.#keys = JSON.parse(keys) as StoredKey[];
    this.#version = current;
    this.#versions.add(current);
    this.#owner = { ledger: ledger ?? "", place: place ?? "" };
  }

  async restore(): Promise<void> {
    if (this.#owner === undefined) return;
    const name = this.#connection.key("gateway", "keys");
    const stored = await this.#connection.command(["HGET", name, "version"]) as string | null;
    const isOlder = stored !== null && stored !== this.#version && this.#versions.has(stored);
    await publishKeys(this.#connection, this.#keys, this.#owner, this.#version, isOlder);
  }

  resign(): Promise<void> {
    return Promise.resolve();
  }
}
