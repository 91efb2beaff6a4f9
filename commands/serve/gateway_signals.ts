/**
 * Handles the signals of a gateway: SIGINT and SIGTERM stop it, SIGHUP reloads its configuration.
 *
 * @module
 */
import { closeSync, openSync } from "node:fs";
import process from "node:process";
import { EXIT } from "../exit_codes.ts";

/** The process's signals, exit and terminal; replaced in tests. */
export interface GatewaySignalHost {
  /** Adds a listener. */
  on(signal: "SIGINT" | "SIGTERM" | "SIGHUP", listener: () => void): void;
  /** Ends the process. */
  exit(code: number): void;
  /** Whether the process was started in a terminal that is now closed. */
  hasLostTerminal(): boolean;
}

/** Whether a terminal belongs to the process. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}

function processHost(): GatewaySignalHost {
  const isInteractive = process.platform !== "win32" && process.stderr.isTTY === true;
  return {
    on: (signal, listener) => void process.on(signal, listener),
    exit: (code) => process.exit(code),
    hasLostTerminal: () => isInteractive && !hasTerminal(),
  };
}

/** What the signals do. */
export interface GatewaySignalActions {
  /** Called with 1 for the first signal that stops the gateway, and 2 for the second. */
  stop(count: number): void;
  /** Reloads the configuration. */
  reload(): void;
}

/**
 * Calls the actions when signals arrive; the third signal to stop ends the process immediately. A terminal that
 * closes also sends SIGHUP: then the gateway stops.
 */
export function onGatewaySignals(
  { stop, reload }: GatewaySignalActions,
  host: GatewaySignalHost = processHost(),
): void {
  let count = 0;
  const onStop = () => {
    if (++count > 2) return host.exit(EXIT.interrupted);
    stop(count);
  };
  host.on("SIGINT", onStop);
  host.on("SIGTERM", onStop);
  host.on("SIGHUP", () => host.hasLostTerminal() ? onStop() : reload());
}
