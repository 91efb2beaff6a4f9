/**
 * The client of several endpoints, under its name in the Python tool.
 *
 * @module
 */
import { LLMClient } from "./client.ts";
import type { PoolOptions } from "./client_options.ts";

/**
 * Completes chats on several servers, models or API keys as if they were one. Distributes the requests,
 * avoids endpoints that are down or busy, and retries a failed request on another endpoint. All endpoints
 * pull from one queue, so faster ones do more of a batch.
 *
 * A pool has all methods of {@link LLMClient}. A stream can move to another endpoint until its first event.
 *
 * @example
 * ```ts
 * import { LLMClientPool } from "@flexllm/flexllm";
 *
 * await using pool = new LLMClientPool({
 *   endpoints: [
 *     { provider: "mock", model: "mock", concurrencyLimit: 50 },
 *     { baseUrl: "http://gpu2:8000/v1", model: "qwen", concurrencyLimit: 20 },
 *   ],
 *   loadBalance: "fallback",
 * });
 * const { endpoint } = await pool.chatCompletions([{ role: "user", content: "Hello!" }]);
 * console.log(endpoint, pool.stats);
 * ```
 */
export class LLMClientPool extends LLMClient {
  /**
   * Creates a pool. Nothing is sent yet.
   *
   * @throws {ConfigurationError} if an option is invalid
   */
  constructor(options: PoolOptions) {
    // Without endpoints, this is an error rather than a client of one endpoint.
    super({ ...options, endpoints: options.endpoints });
  }
}
