/**
 * The response cache in the way of a call: answers that are known are not asked for, and complete ones
 * are kept.
 *
 * @module
 */
import process from "node:process";
import { cacheKey } from "../cache/key.ts";
import { storeOpener } from "../cache/open_store.ts";
import { type CacheRequest, type Fetched, ResponseCache } from "../cache/response_cache.ts";
import type { ChatResult } from "../chat/result.ts";
import type { CacheOptions } from "../cache/options.ts";
import type { EncodedCall } from "./endpoint_client.ts";

/** The cache of one client or pool. */
export class CachedCalls {
  readonly #cache: ResponseCache;
  readonly #namespace: string | undefined;

  /** @throws {ConfigurationError} when an option is wrong, or this runtime has no such store */
  constructor({ ttl, store, path, namespace, onWarning }: CacheOptions) {
    const open = storeOpener({ store, path }, process.env);
    this.#cache = new ResponseCache({ open, ttl, onWarning });
    this.#namespace = namespace;
  }

  #request({ endpoint, provider, request, encoded }: EncodedCall): CacheRequest {
    const { model, options: { responseFormat } } = request;
    const body = encoded.body ?? "";
    const { baseUrl, name } = endpoint;
    const parts = { namespace: this.#namespace, baseUrl, format: provider.name, model, body };
    return { key: cacheKey(parts), model, endpoint: name, responseFormat };
  }

  /** The stored answer to one of the ways in which a call may be sent. */
  find(calls: readonly EncodedCall[]): Promise<ChatResult | undefined> {
    return this.#cache.get(calls.map((call) => this.#request(call)));
  }

  /** The same, or what `ask` gives, which is kept; identical calls at once are asked once. */
  findOrAsk(
    calls: readonly EncodedCall[],
    ask: () => Promise<{ result: ChatResult; used: EncodedCall }>,
    signal: AbortSignal,
  ): Promise<ChatResult> {
    const fetch = async (): Promise<Fetched> => {
      const { result, used } = await ask();
      return { result, request: this.#request(used) };
    };
    return this.#cache.getOrFetch(calls.map((call) => this.#request(call)), fetch, signal);
  }

  /** Keeps an answer. */
  keep(used: EncodedCall, result: ChatResult): Promise<void> {
    return this.#cache.put(this.#request(used), result);
  }

  /** Writes what is not written yet. */
  close(): Promise<void> {
    return this.#cache.close();
  }
}
