/** How a gateway stops: drained, ended by a second signal, or after its time. */
import assert from "node:assert/strict";
import { shutDown, StopRequests } from "../../../commands/serve/shut_down.ts";
import { AbortedError } from "../../../lib/errors.ts";
import type { Clock } from "../../../lib/runtime/clock.ts";

/** A clock whose waits end when the test says so, longest first in `waits`. */
function manualClock() {
  const waits: { ms: number; end: () => void }[] = [];
  const clock: Clock = {
    now: () => 0,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        waits.push({ ms, end: resolve });
        signal?.addEventListener("abort", () => reject(new AbortedError("aborted")));
      }),
  };
  return { clock, waits };
}

/** A gateway with `inFlight` calls, and its server. */
function scripted(inFlight: number) {
  const events: string[] = [];
  let drained = () => {};
  const app = {
    inFlight,
    drain: () => {
      events.push("drain");
      return new Promise<void>((resolve) => {
        drained = resolve;
        if (inFlight === 0) resolve();
      });
    },
    close: () => Promise.resolve(void events.push("close calls")),
  };
  const server = {
    stop: () => Promise.resolve(void events.push("stop listening")),
    close: () => Promise.resolve(void events.push("close connections")),
  };
  return { app, server, events, finish: () => drained() };
}

const END = ["close calls", "stop listening", "close connections"];

Deno.test("without requests in flight a gateway stops silently with exit code 0", async () => {
  const { app, server, events } = scripted(0);
  const notes: string[] = [];
  const { clock } = manualClock();
  const note = (text: string) => void notes.push(text);
  const code = await shutDown(app, server, new StopRequests(), { drain: 600, clock, note });
  assert.deepEqual([code, events, notes], [0, ["drain", ...END], []]);
});

Deno.test("requests in flight may finish, and the gateway listens meanwhile", async () => {
  const { app, server, events, finish } = scripted(2);
  const notes: string[] = [];
  const { clock, waits } = manualClock();
  const note = (text: string) => void notes.push(text);
  const stopped = shutDown(app, server, new StopRequests(), { drain: 600, clock, note });
  await Promise.resolve();
  assert.deepEqual(events, ["drain"]);
  assert.match(notes[0], /waiting up to 10 min for 2 requests in flight/);
  assert.equal(waits[0].ms, 600_000);
  finish();
  assert.equal(await stopped, 0);
  assert.deepEqual(events, ["drain", ...END]);
});

Deno.test("a second signal ends requests in flight, with exit code 130", async () => {
  const { app, server, events } = scripted(1);
  const stops = new StopRequests();
  const notes: string[] = [];
  const note = (text: string) => void notes.push(text);
  const { clock } = manualClock();
  const stopped = shutDown(app, server, stops, { drain: 600, clock, note });
  stops.request(2);
  assert.equal(await stopped, 130);
  assert.deepEqual(events, ["drain", ...END]);
  assert.equal(notes[1], "Ended 1 request in flight.");
});

Deno.test("requests that take longer than the drain time are ended, with exit code 3", async () => {
  const { app, server, events } = scripted(1);
  const { clock, waits } = manualClock();
  const notes: string[] = [];
  const note = (text: string) => void notes.push(text);
  const stopped = shutDown(app, server, new StopRequests(), { drain: 5, clock, note });
  await Promise.resolve();
  waits[0].end();
  assert.equal(await stopped, 3);
  assert.deepEqual(events, ["drain", ...END]);
  assert.equal(notes[1], "Ended 1 request that took longer than 5.0 s.");
});
