/**
 * A chat completion request, independent of the wire format.
 *
 * @module
 */
import type { Message } from "../chat/messages.ts";
import type { SamplingOptions } from "../chat/options.ts";

/** One request for a chat completion. */
export interface ChatRequest {
  model: string;
  messages: readonly Message[];
  options: SamplingOptions;
  stream: boolean;
}
