import assert from "node:assert/strict";
import { type Expiring, Lane } from "../../lib/transport/deadlines.ts";

/** A lane in a time of its own. */
function laneOf(ms: number) {
  let now = 0;
  let timer: { at: number; callback: () => void } | undefined;
  const expired: string[] = [];
  const lane = new Lane(ms, {
    now: () => now,
    setTimer: (callback, ms) => timer = { at: now + ms, callback },
  });
  return {
    lane,
    expired,
    entry(name: string): Expiring {
      return { expiresAt: 0, expire: () => expired.push(name) };
    },
    /** Lets time pass up to `to`; with `isSuspended` no timer fires before that. */
    pass(to: number, isSuspended = false): void {
      while (timer !== undefined && timer.at <= to) {
        now = isSuspended ? to : timer.at;
        const { callback } = timer;
        timer = undefined;
        callback();
      }
      now = to;
    },
  };
}

Deno.test("a deadline passes when its time is over, the oldest first", () => {
  const { lane, expired, entry, pass } = laneOf(1000);
  lane.add(entry("a"));
  pass(400);
  lane.add(entry("b"));
  pass(999);
  assert.deepEqual(expired, []);
  pass(1000);
  assert.deepEqual(expired, ["a"]);
  pass(1400);
  assert.deepEqual(expired, ["a", "b"]);
});

Deno.test("the time for which the process was suspended does not count", () => {
  const { lane, expired, entry, pass } = laneOf(1000);
  lane.add(entry("a"));
  pass(400);
  const answered = entry("b");
  lane.add(answered);
  // Stopped from 400 to 60,000: what came meanwhile is read only after the timers have fired.
  pass(60_000, true);
  assert.deepEqual(expired, []);
  lane.delete(answered);
  pass(61_000);
  assert.deepEqual(expired, ["a"]);
});

Deno.test("a timer that is a little late is still a timer", () => {
  const { lane, expired, entry, pass } = laneOf(1000);
  lane.add(entry("a"));
  pass(1300, true);
  assert.deepEqual(expired, ["a"]);
});
