/**
 * Defines what keeps a silent stream alive in each format.
 *
 * Sources: HTML standard, "Server-sent events" (lines that begin with a colon are comments); Anthropic,
 * "Streaming messages" (`ping` events).
 *
 * @module
 */
import { SERVER_SENT_EVENTS } from "../protocols/event_framing.ts";
import type { KeepAlive } from "./client_stream.ts";
import type { GatewayCall } from "./gateway_call.ts";

const COMMENT = ": ping\n\n";
const COMMENTS: KeepAlive = { before: COMMENT, between: COMMENT };
const ANTHROPIC: KeepAlive = {
  before: COMMENT,
  between: 'event: ping\ndata: {"type": "ping"}\n\n',
};
/** JSON allows white space before the array; inside of it a chunk may have ended in the middle of a text. */
const WHITE_SPACE: KeepAlive = { before: "\n", between: undefined };

/** What keeps the stream of a call alive. */
export function keepAliveOf({ protocol, context }: GatewayCall): KeepAlive {
  if ((context.framing ?? SERVER_SENT_EVENTS) !== SERVER_SENT_EVENTS) return WHITE_SPACE;
  return protocol.name === "claude" ? ANTHROPIC : COMMENTS;
}
