/**
 * Lets signals, timers and other events be handled during long work that never waits for anything.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { globals } from "./globals.ts";

/** Resolves in the next turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Calls back once everything that has arrived by now has been handled. */
export function afterEvents(callback: () => void): void {
  // Bun handles what arrives after the callbacks of a turn.
  if (globals.Bun === undefined) setImmediate(callback);
  else setImmediate(() => setImmediate(callback));
}
