/**
 * Lets events be handled before work continues.
 *
 * @module
 */
import { setImmediate, setTimeout } from "node:timers";
import { globals } from "./globals.ts";

/** Resolves in the next turn of the event loop, so that long work does not hold up signals, timers and others. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Calls back once everything that has arrived by now has been handled. */
export function afterEvents(callback: () => void): void {
  // Bun handles what arrives after the callbacks of a turn. Deno handles it before timers only.
  if (globals.Bun !== undefined) setImmediate(() => setImmediate(callback));
  else setTimeout(callback, 1);
}
