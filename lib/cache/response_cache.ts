/**
 * The response cache: returns stored answers, sends identical requests once, and reports a broken store
 * with a single warning.
 *
 * @module
 */
import type { ResponseFormat } from "../chat/options.ts";
import type { ChatResult } from "../chat/result.ts";
import { sourceOf } from "../chat/schema_conversion.ts";
import { SchemaMismatchError } from "../chat/schema_mismatch_error.ts";
import { hasParsed, parseStructured } from "../chat/structured_output.ts";
import { AbortedError, ConfigurationError } from "../errors.ts";
import { RedisUnavailableError } from "../redis/redis_error.ts";
import { type BatchedStore, BatchingStore } from "./batching_store.ts";
import { decodeAnswer, encodeAnswer, isStorable, signedEntry, verifiedAnswer } from "./entry.ts";
import { followerError } from "./follower_error.ts";
import { SingleFlight } from "./single_flight.ts";
import { DEFAULT_TTL, type StoredEntry } from "./store.ts";
import { storeError } from "./store_error.ts";

/** Hit counts are written after this many hits, and at the end. */
const HITS_GROUP = 1000;

/** The options of a {@link ResponseCache}. */
export interface ResponseCacheOptions {
  /** Opens the store; called once, at the first lookup. */
  open: () => Promise<BatchedStore>;
  /**
   * Seconds until an answer expires, from when it was written; 0 for never.
   *
   * @default a day
   */
  ttl?: number;
  /** Called at most once, if the cache cannot be used, with the reason and what to do. */
  onWarning?: (message: string) => void;
  /**
   * Milliseconds since 1970.
   *
   * @default Date.now
   */
  now?: () => number;
  /**
   * Maximum wait for a single operation of the store, in milliseconds.
   *
   * @default 1000
   */
  timeout?: number;
}

/** The parts of a request that the cache uses. */
export interface CacheRequest {
  /** See {@link cacheKey}. */
  key: string;
  /** The requested model. */
  model: string;
  /** The base URL of the server. */
  endpoint: string;
  /** The requested format. A Standard Schema also validates stored answers, which contain its input. */
  responseFormat?: ResponseFormat;
}

/** A new answer, and the request that was sent for it. */
export interface Fetched {
  result: ChatResult;
  request: CacheRequest;
}

/** An answer that several callers may wait for. */
interface SharedAnswer {
  request: CacheRequest;
  /** The result for the caller that sent the request; absent if the answer was stored. */
  result?: ChatResult;
  /** The answer as JSON, once it is needed. */
  json?: string;
}

/** A stored answer as JSON, and the request that it answers. */
interface StoredAnswer {
  json: string;
  request: CacheRequest;
}

/** Reads the entry of a request from a store. */
type EntrySource = (
  store: BatchingStore,
  request: CacheRequest,
) => Promise<StoredEntry | undefined>;

const getEntry: EntrySource = (store, { key }) => store.get(key);

/** A cache of answers in one store. */
export class ResponseCache implements AsyncDisposable {
  readonly #options: ResponseCacheOptions;
  readonly #lifetime: number;
  readonly #now: () => number;
  readonly #flights = new SingleFlight<SharedAnswer>(followerError);
  readonly #hits = new Map<string, number>();
  #hitCount = 0;
  /** The store; resolves to `undefined` if it cannot be used. */
  #opening: Promise<BatchingStore | undefined> | undefined;
  #store: BatchingStore | undefined;
  #location: string | undefined;
  #off = false;
  #warned = false;

  /**
   * Creates a cache. Its store is opened at the first lookup.
   *
   * @throws {ConfigurationError} if `ttl` is not a number of seconds
   */
  constructor(options: ResponseCacheOptions) {
    const { ttl = DEFAULT_TTL, now = Date.now } = options;
    if (!(ttl >= 0)) {
      throw new ConfigurationError(`cache ttl: expected seconds (0 for no limit), got ${ttl}`);
    }
    this.#options = options;
    this.#lifetime = ttl === 0 ? Infinity : ttl * 1000;
    this.#now = now;
  }

  /** Looks up the answer to any of `requests`; `undefined` if there is none. */
  async get(requests: readonly CacheRequest[]): Promise<ChatResult | undefined> {
    const start = performance.now();
    const stored = await this.#readAny(requests);
    if (stored === undefined) return undefined;
    return await this.#validResult(stored.json, stored.request, start);
  }

  /**
   * Stores an answer if it is complete. Writing is deferred: the promise resolves immediately unless the
   * store is far behind.
   */
  async put(request: CacheRequest, result: ChatResult): Promise<void> {
    if (isStorable(result)) await this.#write(request, encoded(result, request));
  }

  /**
   * Returns the stored answer to any of `requests`, which are alternative ways to send the same call.
   * Otherwise calls `fetch` and stores its answer if it is complete. Callers with the same first key share
   * one `fetch`: the others get its answer as a cached one, or its error. If the store is for several
   * processes, callers in other processes wait for the answer as well, but only for a short time. `signal`
   * ends the wait for another caller; `fetch` must respect it by itself.
   *
   * @throws {AbortedError} when `signal` fires, and any error of `fetch`; never an error of the store
   */
  async getOrFetch(
    requests: readonly CacheRequest[],
    fetch: () => Promise<Fetched>,
    signal?: AbortSignal,
  ): Promise<ChatResult> {
    const start = performance.now();
    const [{ key, responseFormat }] = requests;
    const work = () => this.#readOrFetch(requests, fetch, signal);
    const { value: answer, isShared } = await this.#flights.run(key, work, signal);
    if (!isShared && answer.result !== undefined) return answer.result;
    answer.json ??= encoded(answer.result!, answer.request);
    if (responseFormat === undefined) return decoded(answer.json, answer.request, start);
    // Callers whose schemas have the same JSON Schema share a key.
    const request = { ...answer.request, responseFormat };
    const result = await this.#validResult(answer.json, request, start);
    if (result !== undefined) return result;
    // Rejected by this caller's schema, so the caller sends its own request.
    const fetched = await fetch();
    await this.put(fetched.request, fetched.result);
    return fetched.result;
  }

  /** Writes pending entries and closes the store. Never rejects; safe to call twice. */
  async close(): Promise<void> {
    if (this.#opening === undefined) this.#off = true;
    const store = await this.#opening;
    if (this.#off || store === undefined) return;
    this.#off = true;
    this.#store = undefined;
    try {
      await store.close(this.#hits);
    } catch (error) {
      this.#turnOff(error);
    }
  }

  /** Closes the cache at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #readOrFetch(
    requests: readonly CacheRequest[],
    fetch: () => Promise<Fetched>,
    signal: AbortSignal | undefined,
  ): Promise<SharedAnswer> {
    const [first] = requests;
    let written: CacheRequest | undefined;
    try {
      const stored = await this.#readOrWait(requests, signal);
      if (stored !== undefined) return stored;
      const { result, request } = await fetch();
      if (!isStorable(result)) return { result, request };
      const json = encoded(result, request);
      await this.#write(request, json);
      written = request;
      return { result, json, request };
    } finally {
      if (written?.key !== first.key) void this.#store?.release(first.key);
    }
  }

  /** The first stored answer; all keys are read at once. */
  async #readAny(
    requests: readonly CacheRequest[],
    readFirst: EntrySource = getEntry,
  ): Promise<StoredAnswer | undefined> {
    if (requests.length === 1) {
      const json = await this.#read(requests[0], readFirst);
      return json === undefined ? undefined : { json, request: requests[0] };
    }
    const answers = await Promise.all(
      requests.map((request, i) => this.#read(request, i === 0 ? readFirst : getEntry)),
    );
    const i = answers.findIndex((json) => json !== undefined);
    return i < 0 ? undefined : { json: answers[i]!, request: requests[i] };
  }

  /** As {@link #readAny}; but claims the first key, or waits for the process that has claimed it. */
  async #readOrWait(
    requests: readonly CacheRequest[],
    signal: AbortSignal | undefined,
  ): Promise<StoredAnswer | undefined> {
    let isAwaited = false;
    const stored = await this.#readAny(requests, async (store, { key }) => {
      const lookup = await store.getOrClaim(key);
      isAwaited = lookup === "awaited";
      return typeof lookup === "string" ? undefined : lookup;
    });
    if (stored !== undefined || !isAwaited) return stored;
    const [request] = requests;
    const json = await this.#read(request, (store, { key }) => store.wait(key, signal));
    return json === undefined ? undefined : { json, request };
  }

  /** The result of a stored answer; `undefined` if the request's schema rejects it. */
  async #validResult(
    json: string,
    request: CacheRequest,
    start: number,
  ): Promise<ChatResult | undefined> {
    const result = decoded(json, request, start);
    const { responseFormat } = request;
    if (responseFormat === undefined || !hasParsed(result)) return result;
    // Answers to a call with a Standard Schema are stored without a parsed value.
    if (result.parsed !== undefined && sourceOf(responseFormat) === undefined) return result;
    try {
      result.parsed = await parseStructured(result.content, responseFormat);
      return result;
    } catch (error) {
      if (error instanceof SchemaMismatchError) return undefined;
      throw error;
    }
  }

  async #read(request: CacheRequest, read: EntrySource): Promise<string | undefined> {
    const store = this.#store ?? await this.#open();
    if (store === undefined) return undefined;
    const { key, model } = request;
    try {
      const entry = await read(store, request);
      if (entry === undefined || this.#now() - entry.created >= this.#lifetime) return undefined;
      const json = verifiedAnswer(key, entry);
      if (json !== undefined) this.#countHit(model, store);
      return json;
    } catch (error) {
      if (error instanceof AbortedError) throw error;
      this.#fail(error);
      return undefined;
    }
  }

  async #write({ key, model }: CacheRequest, json: string): Promise<void> {
    const store = this.#store ?? await this.#open();
    const waiting = store?.set(signedEntry(key, this.#now(), model, json));
    if (waiting !== undefined) await waiting.catch((error) => this.#fail(error));
  }

  #countHit(model: string, store: BatchingStore): void {
    this.#hits.set(model, (this.#hits.get(model) ?? 0) + 1);
    if (++this.#hitCount < HITS_GROUP) return;
    const hits = new Map(this.#hits);
    this.#hits.clear();
    this.#hitCount = 0;
    store.addHits(hits).catch((error) => this.#fail(error));
  }

  async #open(): Promise<BatchingStore | undefined> {
    if (this.#off) return undefined;
    this.#opening ??= this.#options.open().then((store) => {
      this.#store = new BatchingStore(
        store,
        (error) => this.#fail(error),
        this.#options.timeout,
      );
      this.#location = store.location;
      const { onWarning } = this.#options;
      if (onWarning !== undefined) store.reportLoss?.(onWarning);
      return this.#store;
    }).catch((error) => {
      this.#turnOff(error);
      return undefined;
    });
    return await this.#opening;
  }

  /** Continues without the store: until it can be used again, or for good if it does not recover. */
  #fail(error: unknown): void {
    // The store reports that itself.
    if (error instanceof RedisUnavailableError) return;
    if (this.#store?.recovers) this.#warn(error, "continuing without it until it responds again");
    else this.#turnOff(error);
  }

  /** Continues without the store. If the cache is already closing, only warns. */
  #turnOff(error: unknown): void {
    if (this.#off) return this.#warn(error, "its last answers may not be stored");
    this.#off = true;
    const store = this.#store;
    this.#store = undefined;
    store?.abandon();
    this.#warn(error, "continuing without it");
  }

  #warn(error: unknown, consequence: string): void {
    if (this.#warned) return;
    this.#warned = true;
    const { message, hint } = storeError(error, this.#location);
    const advice = hint === undefined ? "" : ` ${hint}`;
    const state = this.#off ? "off" : "unavailable";
    this.#options.onWarning?.(
      `the response cache is ${state}: ${message}; ${consequence}.${advice}`,
    );
  }
}

/** The JSON of an answer, without the output of a Standard Schema, which may have no JSON form. */
function encoded(result: ChatResult, { responseFormat }: CacheRequest): string {
  return encodeAnswer(
    sourceOf(responseFormat) === undefined ? result : { ...result, parsed: undefined },
  );
}

function decoded(json: string, { endpoint }: CacheRequest, start: number): ChatResult {
  return decodeAnswer(json, endpoint, (performance.now() - start) / 1000);
}
