/**
 * Stopping at SIGINT, SIGTERM and SIGHUP. A command decides what the first two do; the third always
 * ends the process.
 *
 * @module
 */
import process from "node:process";
import { clearTimeout, setTimeout } from "node:timers";
import { EXIT } from "./exit_codes.ts";
import { ignoresHangup } from "./hangup.ts";

/** The signals that ask a process to end. */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** Where signals come from, and how the process ends. Replaced in tests. */
export interface SignalHost {
  /** Calls `listener` at each `signal`. */
  on(signal: StopSignal, listener: () => void): void;
  /** Removes `listener`. */
  off(signal: StopSignal, listener: () => void): void;
  /** Ends the process. */
  exit(code: number): void;
  /** Calls `run` after `ms` milliseconds. Returns a function that cancels it. */
  after(ms: number, run: () => void): () => void;
  /** Whether SIGHUP is to be ignored, as under `nohup`. */
  ignoresHangup(): boolean;
}

const PROCESS: SignalHost = {
  on: (signal, listener) => void process.on(signal, listener),
  off: (signal, listener) => void process.off(signal, listener),
  exit: (code) => process.exit(code),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  ignoresHangup,
};

/** Listeners that can be removed. */
export interface StopListeners {
  /** Removes them; signals then have their default effect. */
  release(): void;
}

/**
 * Calls `stop` at the first and the second signal, with 1 and 2; the third ends the process at once.
 */
export function onStopSignals(
  stop: (count: number) => void,
  host: SignalHost = PROCESS,
): StopListeners {
  let count = 0;
  const onSignal = () => {
    if (++count > 2) return host.exit(EXIT.interrupted);
    stop(count);
  };
  const onHangup = host.ignoresHangup() ? () => {} : onSignal;
  host.on("SIGINT", onSignal);
  host.on("SIGTERM", onSignal);
  host.on("SIGHUP", onHangup);
  return {
    release() {
      host.off("SIGINT", onSignal);
      host.off("SIGTERM", onSignal);
      host.off("SIGHUP", onHangup);
    },
  };
}

/** What can be stopped. */
export interface Stoppable {
  /** Starts no further requests. */
  stop(): void;
  /** Aborts the requests in flight. */
  abort(): void;
}

/** Milliseconds that an aborted batch has to write its last lines before the process is ended. */
const LAST_WORDS = 5000;

/**
 * Stops `batch` at the first signal and aborts it at the second, which ends the process even if
 * something hangs.
 */
export function stopOnSignals(
  batch: Stoppable,
  note: (line: string) => void,
  host: SignalHost = PROCESS,
): StopListeners {
  let cancelExit = () => {};
  const listeners = onStopSignals((count) => {
    if (count === 1) {
      note("Stopping; requests in flight may finish. Ctrl-C again cuts them.");
      batch.stop();
      return;
    }
    cancelExit = host.after(LAST_WORDS, () => host.exit(EXIT.interrupted));
    batch.abort();
  }, host);
  return {
    release() {
      cancelExit();
      listeners.release();
    },
  };
}
