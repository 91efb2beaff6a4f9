/**
 * Says why nothing happens while a request waits for another try.
 *
 * @module
 */
import { RateLimitError } from "../lib/errors.ts";
import type { RetryNotice } from "../lib/scheduling/scheduler.ts";
import { colored } from "./terminal.ts";

/** Seconds of waiting that a person does not need to be told of. */
const SHORT = 3;

/** Tells of long waits through `note`, one at a time however many requests wait. */
export function noteLongWaits(note: (line: string) => void): (notice: RetryNotice) => void {
  let toldUntil = -Infinity;
  return ({ error, wait }) => {
    const now = performance.now();
    if (wait < SHORT || now < toldUntil) return;
    toldUntil = now + wait * 1000;
    const reason = error instanceof RateLimitError
      ? "the server asks to slow down"
      : error instanceof Error
      ? error.message
      : String(error);
    note(colored("yellow", `Waiting ${Math.ceil(wait)} s: ${reason}`));
  };
}
