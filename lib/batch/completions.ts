/**
 * The part of a client that a batch needs.
 *
 * @module
 */
import type { Message } from "../chat/messages.ts";
import type { ChatOptions } from "../chat/options.ts";
import type { ChatResult } from "../chat/result.ts";
import type { CallHooks } from "../scheduling/call_hooks.ts";

/** Completes conversations, one call each. */
export interface Completions {
  /** Maximum number of requests in flight. */
  readonly concurrencyLimit: number;
  /** The current state of each endpoint. */
  readonly stats: readonly { failures: number }[];
  /** Completes one conversation. */
  complete(
    messages: readonly Message[],
    options: ChatOptions,
    hooks: CallHooks | undefined,
  ): Promise<ChatResult>;
}
