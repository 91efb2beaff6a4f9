/**
 * Looks up and stores completions in the response cache.
 *
 * @module
 */
import process from "node:process";
import { cacheKey } from "../cache/key.ts";
import { storeOpener } from "../cache/open_store.ts";
import { type CacheRequest, type Fetched, ResponseCache } from "../cache/response_cache.ts";
import type { ChatResult } from "../chat/result.ts";
import type { CacheOptions } from "../cache/options.ts";
import type { RedisAddress } from "../redis/redis_address.ts";
import type { EncodedCall } from "./endpoint_client.ts";

/** The options of a cache, and the Redis server of its client. */
export interface CachedCallsOptions extends CacheOptions {
  /** Where the cache is by default. */
  redis?: RedisAddress;
}

/** A sent call: its result, and the request that was sent for it. */
export interface SentCall {
  result: ChatResult;
  encoded: EncodedCall;
}

/** The response cache of one client. */
export class CachedCalls {
  readonly #cache: ResponseCache;
  readonly #namespace: string | undefined;

  /** The cache, for requests that have keys of their own. */
  get responses(): ResponseCache {
    return this.#cache;
  }

  /** The namespace of its keys. */
  get namespace(): string {
    return this.#namespace ?? "";
  }

  /** @throws {ConfigurationError} if an option is wrong, or this runtime does not support the store */
  constructor({ ttl, store, path, namespace, redis, onWarning }: CachedCallsOptions) {
    const open = storeOpener({ store, path, redis, ttl }, process.env);
    this.#cache = new ResponseCache({ open, ttl, onWarning });
    this.#namespace = namespace;
  }

  /**
   * Returns the stored answer to any of `encodings`, the ways to send one call. Otherwise sends the call and
   * stores its answer. Identical concurrent calls are sent once.
   */
  complete(
    encodings: readonly EncodedCall[],
    send: () => Promise<SentCall>,
    signal: AbortSignal,
  ): Promise<ChatResult> {
    const fetch = async (): Promise<Fetched> => {
      const { result, encoded } = await send();
      return { result, request: this.#request(encoded) };
    };
    return this.#cache.getOrFetch(this.#requests(encodings), fetch, signal);
  }

  /**
   * The same for a stream. Concurrent calls do not share its answer: they would have to wait for the
   * stream's reader.
   */
  async stream(
    encodings: readonly EncodedCall[],
    send: () => Promise<SentCall>,
  ): Promise<ChatResult> {
    const stored = await this.#cache.get(this.#requests(encodings));
    if (stored !== undefined) return stored;
    const sent = await send();
    await this.put(sent);
    return sent.result;
  }

  /** The stored answer to an encoded call; `undefined` if there is none. */
  get(encoded: EncodedCall): Promise<ChatResult | undefined> {
    return this.#cache.get([this.#request(encoded)]);
  }

  /** Stores the answer to a sent call, if it is complete. */
  put({ result, encoded }: SentCall): Promise<void> {
    return this.#cache.put(this.#request(encoded), result);
  }

  /** Writes pending entries and closes the store. */
  close(): Promise<void> {
    return this.#cache.close();
  }

  #requests(encodings: readonly EncodedCall[]): CacheRequest[] {
    return encodings.map((encoded) => this.#request(encoded));
  }

  #request({ endpoint, provider, request, encoded }: EncodedCall): CacheRequest {
    const { model, options: { responseFormat } } = request;
    const body = encoded.body ?? "";
    const { baseUrl, name } = endpoint;
    const parts = { namespace: this.#namespace, baseUrl, protocol: provider, model, body };
    return { key: cacheKey(parts), model, endpoint: name, responseFormat };
  }
}
