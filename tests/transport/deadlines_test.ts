import assert from "node:assert/strict";
import { DeadlineQueue, type Expiring } from "../../lib/transport/deadlines.ts";

/** A queue on a virtual clock. */
function queueOf(ms: number) {
  let now = 0;
  let timer: { at: number; callback: () => void } | undefined;
  const expired: string[] = [];
  const queue = new DeadlineQueue(ms, {
    now: () => now,
    setTimer: (callback, ms) => timer = { at: now + ms, callback },
  });
  return {
    queue,
    expired,
    entry(name: string): Expiring {
      return { expire: () => expired.push(name) };
    },
    /** Advances the time to `to`; with `isSuspended`, no timer fires before that. */
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

Deno.test("deadlines expire on time, the oldest first", () => {
  const { queue, expired, entry, pass } = queueOf(1000);
  queue.add(entry("a"));
  pass(400);
  queue.add(entry("b"));
  pass(999);
  assert.deepEqual(expired, []);
  pass(1000);
  assert.deepEqual(expired, ["a"]);
  pass(1400);
  assert.deepEqual(expired, ["a", "b"]);
});

Deno.test("time for which the process was suspended does not count", () => {
  const { queue, expired, entry, pass } = queueOf(1000);
  queue.add(entry("a"));
  pass(400);
  const answered = queue.add(entry("b"));
  // Suspended from 400 to 60,000: timers fire before the data that arrived meanwhile is read.
  pass(60_000, true);
  assert.deepEqual(expired, []);
  answered.remove();
  pass(61_000);
  assert.deepEqual(expired, ["a"]);
});

Deno.test("a timer that is slightly late does not extend deadlines", () => {
  const { queue, expired, entry, pass } = queueOf(1000);
  queue.add(entry("a"));
  pass(1300, true);
  assert.deepEqual(expired, ["a"]);
});

Deno.test("a deadline that restarts moves behind those that started meanwhile", () => {
  const { queue, expired, entry, pass } = queueOf(1000);
  const first = queue.add(entry("a"));
  pass(400);
  queue.add(entry("b"));
  queue.add(entry("c")).remove();
  pass(600);
  first.restart();
  assert.equal(queue.size, 2);
  pass(1599);
  assert.deepEqual(expired, ["b"]);
  pass(1600);
  assert.deepEqual(expired, ["b", "a"]);
  // Also one that has expired.
  first.restart();
  pass(2600);
  assert.deepEqual(expired, ["b", "a", "a"]);
  assert.equal(queue.size, 0);
});

Deno.test("one timer is enough, also where targets start again as they expire, or throw", () => {
  let now = 0;
  const timers: { at: number; callback: () => void }[] = [];
  const queue = new DeadlineQueue(1000, {
    now: () => now,
    setTimer: (callback, ms) => timers.push({ at: now + ms, callback }),
  });
  const expired: string[] = [];
  const add = (name: string, then: () => void) =>
    queue.add({
      expire() {
        expired.push(`${name} ${now}`);
        then();
      },
    });
  const first = add("a", () => first.restart());
  now = 400;
  const second = add("b", () => second.restart());
  now = 600;
  add("c", () => {
    throw new Error("it failed");
  });
  while (expired.length < 5) {
    assert.equal(timers.length, 1);
    const { at, callback } = timers.pop()!;
    now = at;
    if (now === 1600) assert.throws(callback, /it failed/);
    else callback();
  }
  assert.deepEqual(expired, ["a 1000", "b 1400", "c 1600", "a 2000", "b 2400"]);
});
