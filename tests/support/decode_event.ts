import type { StreamEvent } from "../../lib/chat/events.ts";
import type { StreamDecoder } from "../../lib/protocols/protocol.ts";

/** Decodes the data of one server-sent event. */
export function decodeEvent(decoder: StreamDecoder, data: string): StreamEvent[] {
  const events: StreamEvent[] = [];
  decoder.push(data, events);
  return events;
}
