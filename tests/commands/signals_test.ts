/** Signals: the first stops a batch, the second aborts it, the third exits immediately. */
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

Deno.test("the second signal aborts a batch and exits after a grace period", () => {
  const { signals, batch, events, timers, send } = host();
  stopOnSignals(batch, () => {}, signals);
  send("SIGINT");
  assert.deepEqual([events, timers.size], [["stop"], 0]);
  send("SIGTERM");
  assert.deepEqual([events, timers.size], [["stop", "abort"], 1]);
  for (const run of timers) run();
  assert.deepEqual(events, ["stop", "abort", `exit ${EXIT.interrupted}`]);
});

Deno.test("the third signal of any kind exits immediately", () => {
  const { signals, batch, events, send } = host();
  stopOnSignals(batch, () => {}, signals);
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) send(signal);
  assert.deepEqual(events, ["stop", "abort", `exit ${EXIT.interrupted}`]);
});

Deno.test("a batch that finishes in time does not exit again", () => {
  const { signals, batch, timers, send, listening } = host();
  const { release } = stopOnSignals(batch, () => {}, signals);
  for (const signal of ["SIGINT", "SIGINT"] as const) send(signal);
  release();
  assert.deepEqual([timers.size, listening()], [0, []]);
});

Deno.test("a hangup is ignored under nohup", () => {
  const { signals, batch, events, send } = host(true);
  stopOnSignals(batch, () => {}, signals);
  send("SIGHUP");
  assert.deepEqual(events, []);
  send("SIGTERM");
  assert.deepEqual(events, ["stop"]);
});
