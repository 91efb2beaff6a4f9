/**
 * Defines how the events of a stream are passed on.
 *
 * @module
 */
import type { StreamEvent } from "../chat/events.ts";

/** Takes the events of a stream in the batches in which they arrive. */
export interface EventSink {
  /**
   * Takes the next events; `writer` must not push others until it is called.
   *
   * @throws {AbortedError} if no events are taken any more
   */
  push(events: StreamEvent[], writer: EventWriter): void;
}

/** Pushes events. After each push, exactly one of its functions is called, once. */
export interface EventWriter {
  /** Called when more events are wanted. */
  onDemand(): void;
  /** Called when no more events are taken, with the reason. */
  onStop(reason: unknown): void;
}

/** Pushes events; resolves when more are wanted, and rejects when none are taken any more. */
export function write(sink: EventSink, events: StreamEvent[]): Promise<void> {
  return new Promise((onDemand, onStop) => sink.push(events, { onDemand, onStop }));
}
