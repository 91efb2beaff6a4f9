/**
 * The response cache as a client sees it: answers under keys, identical requests sent once, and no
 * trouble of the store's reaching anybody but as one warning.
 *
 * @module
 */
import type { ChatResult } from "../chat/result.ts";
import { abortedBy, AbortedError, ConfigurationError, copyError, FlexLLMError } from "../errors.ts";
import { SchemaMismatchError } from "../chat/schema_mismatch_error.ts";
import { decodeAnswer, encodeAnswer, isStorable, openedEntry, sealedEntry } from "./entry.ts";
import { BatchingStore } from "./batching_store.ts";
import { storeProblem } from "./open_store.ts";
import type { CacheStore } from "./store.ts";

/** Hits are written when so many have come together, and at the end. */
const HITS_GROUP = 1000;

/** Seconds that an answer is good for, where nothing else is said. */
export const DEFAULT_TTL = 24 * 60 * 60;

/** The options of a {@link ResponseCache}. */
export interface ResponseCacheOptions {
  /** Opens the store; called once, when the first answer is looked for. */
  open: () => Promise<CacheStore>;
  /** Seconds that an answer may be used for, from when it was written; 0 for ever; default a day. */
  ttl?: number;
  /** Called at most once, when the cache cannot be used: why, and what to do. */
  onWarning?: (message: string) => void;
  /** Milliseconds since 1970; default the machine's clock. */
  now?: () => number;
  /** How long a store is waited for in one go, in milliseconds; default 1000. */
  patience?: number;
}

/** A request, as the cache knows it. */
export interface CacheRequest {
  /** See {@link cacheKey}. */
  key: string;
  /** The model that is asked. */
  model: string;
  /** The base URL of the server that is asked. */
  endpoint: string;
}

/** An answer that was not stored, and the request that it answers. */
export interface Fetched {
  result: ChatResult;
  request: CacheRequest;
}

/** An answer that several may be waiting for. */
interface Answer {
  /** The request that it answers. */
  request: CacheRequest;
  /** The result for who asked for it; none when it was stored. */
  result: ChatResult | undefined;
  /** The answer as JSON, once somebody needs it. */
  json: string | undefined;
}

/** The error for a follower of another caller's request, which costs it nothing. */
function followersError(error: unknown): unknown {
  if (error instanceof SchemaMismatchError && error.result !== undefined) {
    return copyError(error, { result: { ...error.result, cost: 0, cached: true } });
  }
  if (!(error instanceof FlexLLMError)) return error;
  const { partial } = error;
  return copyError(error, { partial: partial && { ...partial, usage: undefined, cost: 0 } });
}

/** Waits for what another caller does, until `signal` fires. */
function followed<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortedBy(signal));
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** A cache of answers in one store. */
export class ResponseCache implements AsyncDisposable {
  readonly #options: ResponseCacheOptions;
  readonly #lifetime: number;
  readonly #now: () => number;
  readonly #flights = new Map<string, Promise<Answer>>();
  readonly #hits = new Map<string, number>();
  #hitCount = 0;
  /** The store; `undefined` when it is off. */
  #opening: Promise<BatchingStore | undefined> | undefined;
  #store: BatchingStore | undefined;
  #location: string | undefined;
  #off = false;
  #warned = false;

  /**
   * Makes a cache; its store is opened with the first use.
   *
   * @throws {ConfigurationError} when `ttl` is not a number of seconds
   */
  constructor(options: ResponseCacheOptions) {
    const { ttl = DEFAULT_TTL, now = Date.now } = options;
    if (!(ttl >= 0)) {
      throw new ConfigurationError(
        `cache ttl: expected seconds, 0 for ever or more, got ${ttl}`,
      );
    }
    this.#options = options;
    this.#lifetime = ttl === 0 ? Infinity : ttl * 1000;
    this.#now = now;
  }

  /** Looks for an answer to one of `requests`; `undefined` when there is none that may be used. */
  async get(requests: readonly CacheRequest[]): Promise<ChatResult | undefined> {
    const begun = performance.now();
    const stored = await this.#readAny(requests);
    return stored && this.#cached(stored.json, stored.request, begun);
  }

  /**
   * Stores an answer if it is a complete one. It is written soon; the promise resolves at once unless
   * the store is far behind.
   */
  async put(request: CacheRequest, result: ChatResult): Promise<void> {
    if (isStorable(result)) await this.#write(request, encodeAnswer(result));
  }

  /**
   * Gives the stored answer to one of `requests`, the ways in which the same may be asked, or else what
   * `fetch` gives, which is stored if it is complete. While one caller fetches, others with the same
   * first key wait for it: they get its answer as a cached one, or its error. Only when it was cancelled
   * does one of them fetch for itself. `signal` ends the waiting for others; `fetch` has to heed it by
   * itself.
   *
   * @throws {AbortedError} when `signal` fires, and whatever `fetch` throws; never for the store
   */
  async getOrFetch(
    requests: readonly CacheRequest[],
    fetch: () => Promise<Fetched>,
    signal?: AbortSignal,
  ): Promise<ChatResult> {
    const begun = performance.now();
    const [{ key }] = requests;
    while (true) {
      const flight = this.#flights.get(key);
      if (flight === undefined) {
        const leading = this.#lead(requests, fetch);
        this.#flights.set(key, leading);
        const { result, json, request } = await leading;
        return result ?? this.#cached(json!, request, begun);
      }
      try {
        const answer = await followed(flight, signal);
        answer.json ??= encodeAnswer(answer.result!);
        return this.#cached(answer.json, answer.request, begun);
      } catch (error) {
        if (signal?.aborted || !(error instanceof AbortedError)) throw followersError(error);
      }
    }
  }

  /** Writes what is not written yet and closes the store. Never rejects. Safe to call twice. */
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

  async #lead(
    requests: readonly CacheRequest[],
    fetch: () => Promise<Fetched>,
  ): Promise<Answer> {
    try {
      const stored = await this.#readAny(requests);
      if (stored !== undefined) return { ...stored, result: undefined };
      const { result, request } = await fetch();
      if (!isStorable(result)) return { result, json: undefined, request };
      const json = encodeAnswer(result);
      await this.#write(request, json);
      return { result, json, request };
    } finally {
      // Before this settles, so that who waits for it can lead the next one.
      this.#flights.delete(requests[0].key);
    }
  }

  /** The first of the answers that are stored; all are looked for at once. */
  async #readAny(
    requests: readonly CacheRequest[],
  ): Promise<{ json: string; request: CacheRequest } | undefined> {
    if (requests.length === 1) {
      const json = await this.#read(requests[0]);
      return json === undefined ? undefined : { json, request: requests[0] };
    }
    const found = await Promise.all(requests.map((request) => this.#read(request)));
    const i = found.findIndex((json) => json !== undefined);
    return i < 0 ? undefined : { json: found[i]!, request: requests[i] };
  }

  #cached(json: string, request: CacheRequest, begun: number): ChatResult {
    return decodeAnswer(json, request.endpoint, (performance.now() - begun) / 1000);
  }

  async #read({ key, model }: CacheRequest): Promise<string | undefined> {
    const store = this.#store ?? await this.#open();
    if (store === undefined) return undefined;
    try {
      const entry = await store.get(key);
      if (entry === undefined || this.#now() - entry.created >= this.#lifetime) return undefined;
      const json = openedEntry(key, entry);
      if (json !== undefined) this.#countHit(model, store);
      return json;
    } catch (error) {
      this.#turnOff(error);
      return undefined;
    }
  }

  async #write({ key, model }: CacheRequest, json: string): Promise<void> {
    const store = this.#store ?? await this.#open();
    const waiting = store?.set(sealedEntry(key, this.#now(), model, json));
    if (waiting !== undefined) await waiting.catch((error) => this.#turnOff(error));
  }

  #countHit(model: string, store: BatchingStore): void {
    this.#hits.set(model, (this.#hits.get(model) ?? 0) + 1);
    if (++this.#hitCount < HITS_GROUP) return;
    const hits = new Map(this.#hits);
    this.#hits.clear();
    this.#hitCount = 0;
    store.addHits(hits).catch((error) => this.#turnOff(error));
  }

  async #open(): Promise<BatchingStore | undefined> {
    if (this.#off) return undefined;
    this.#opening ??= this.#options.open().then((store) => {
      this.#store = new BatchingStore(
        store,
        (error) => this.#turnOff(error),
        this.#options.patience,
      );
      this.#location = store.location;
      return this.#store;
    }).catch((error) => {
      this.#turnOff(error);
      return undefined;
    });
    return await this.#opening;
  }

  /** Goes on without the store, or, when it is being closed already, to the end. */
  #turnOff(error: unknown): void {
    if (this.#off) return this.#warn(error, "its last answers may not be stored");
    this.#off = true;
    const store = this.#store;
    this.#store = undefined;
    store?.abandon();
    this.#warn(error, "the run goes on without it");
  }

  #warn(error: unknown, consequence: string): void {
    if (this.#warned) return;
    this.#warned = true;
    const { message, hint } = storeProblem(error, this.#location);
    const advice = hint === undefined ? "" : ` ${hint}`;
    this.#options.onWarning?.(`the response cache is off: ${message}; ${consequence}.${advice}`);
  }
}
