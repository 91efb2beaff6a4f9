/**
 * Stops a command on SIGINT, SIGTERM and SIGHUP.
 *
 * The command handles the first two signals; the third ends the process.
 *
 * @module
 */
import process from "node:process";
import { clearTimeout, setTimeout } from "node:timers";
import { EXIT } from "./exit_codes.ts";
import { ignoresHangup } from "./hangup.ts";

/** The signals that stop a command. */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** The process's signals, exit and timer; replaced in tests. */
export interface SignalHost {
  /** Adds a listener. */
  on(signal: StopSignal, listener: () => void): void;
  /** Removes a listener. */
  off(signal: StopSignal, listener: () => void): void;
  /** Ends the process. */
  exit(code: number): void;
  /** Calls `run` after `ms` milliseconds, and returns a function that cancels it. */
  after(ms: number, run: () => void): () => void;
  /** Whether to ignore SIGHUP, as under `nohup`. */
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

/** The signal listeners of a command. */
export interface StopListeners {
  /** Removes the listeners, restoring the default action of the signals. */
  release(): void;
}

/**
 * Calls `stop` with 1 on the first signal and 2 on the second; the third ends the process immediately.
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

/** A batch that can be stopped. */
export interface Stoppable {
  /** Stops starting requests. */
  stop(): void;
  /** Aborts the requests in flight. */
  abort(): void;
}

/** Printed on the first signal. */
const STOPPING = "Stopping: waiting for requests in flight; press Ctrl-C again to abort them.";
/** Milliseconds that an aborted batch has to write its last results before the process exits. */
const EXIT_GRACE = 5000;

/**
 * Stops `batch` on the first signal and aborts it on the second; the process then exits even if something
 * hangs.
 *
 * @param message the note on the first signal
 */
export function stopOnSignals(
  batch: Stoppable,
  note: (line: string) => void,
  host: SignalHost = PROCESS,
  message = STOPPING,
): StopListeners {
  let cancelExit = () => {};
  const listeners = onStopSignals((count) => {
    if (count === 1) {
      note(message);
      batch.stop();
      return;
    }
    cancelExit = host.after(EXIT_GRACE, () => host.exit(EXIT.interrupted));
    batch.abort();
  }, host);
  return {
    release() {
      cancelExit();
      listeners.release();
    },
  };
}
