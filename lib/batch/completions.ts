/**
 * What a batch needs of a client.
 *
 * @module
 */
import type { Message } from "../chat/messages.ts";
import type { ChatOptions } from "../chat/options.ts";
import type { ChatResult } from "../chat/result.ts";
import type { CallHooks } from "../scheduling/scheduler.ts";

/** Sends single completions. */
export interface Completions {
  /** Maximum requests in flight. */
  readonly concurrencyLimit: number;
  /** How each endpoint is doing. */
  readonly stats: readonly { failures: number }[];
  /** Completes one conversation. */
  chatCompletions(
    messages: readonly Message[],
    options?: ChatOptions,
    hooks?: CallHooks,
  ): Promise<ChatResult>;
}
