/** Signals: the first stops, the second aborts and ends the process for certain, the third at once. */
import assert from "node:assert/strict";
import { EXIT } from "../../commands/exit_codes.ts";
import { type SignalHost, stopOnSignals, type StopSignal } from "../../commands/signals.ts";

function host(ignoresHangup = false) {
  const listeners = new Map<StopSignal, () => void>();
  const timers = new Set<() => void>();
  const events: string[] = [];
  const signals: SignalHost = {
    on: (signal, listener) => void listeners.set(signal, listener),
    off: (signal) => void listeners.delete(signal),
    exit: (code) => void events.push(`exit ${code}`),
    after(_, run) {
      timers.add(run);
      return () => timers.delete(run);
    },
    ignoresHangup: () => ignoresHangup,
  };
  const batch = { stop: () => events.push("stop"), abort: () => events.push("abort") };
  return {
    signals,
    batch,
    events,
    timers,
    send(signal: StopSignal) {
      listeners.get(signal)?.();
    },
    listening: () => [...listeners.keys()],
  };
}

Deno.test("the second signal ends a batch that hangs, after a time for its last lines", () => {
  const { signals, batch, events, timers, send } = host();
  stopOnSignals(batch, () => {}, signals);
  send("SIGINT");
  assert.deepEqual([events, timers.size], [["stop"], 0]);
  send("SIGTERM");
  assert.deepEqual([events, timers.size], [["stop", "abort"], 1]);
  for (const run of timers) run();
  assert.deepEqual(events, ["stop", "abort", `exit ${EXIT.interrupted}`]);
});

Deno.test("the third signal, of whatever kind, ends the process at once", () => {
  const { signals, batch, events, send } = host();
  stopOnSignals(batch, () => {}, signals);
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) send(signal);
  assert.deepEqual(events, ["stop", "abort", `exit ${EXIT.interrupted}`]);
});

Deno.test("a batch that ends in time is not ended again", () => {
  const { signals, batch, timers, send, listening } = host();
  const { release } = stopOnSignals(batch, () => {}, signals);
  for (const signal of ["SIGINT", "SIGINT"] as const) send(signal);
  release();
  assert.deepEqual([timers.size, listening()], [0, []]);
});

Deno.test("a hangup that is ignored, as under nohup, does nothing", () => {
  const { signals, batch, events, send } = host(true);
  stopOnSignals(batch, () => {}, signals);
  send("SIGHUP");
  assert.deepEqual(events, []);
  send("SIGTERM");
  assert.deepEqual(events, ["stop"]);
});
