/**
 * Lets signals, timers and other events be handled during long work that never waits for anything.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** Resolves in the next turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
